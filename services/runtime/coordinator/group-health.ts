import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import { Health, type ServingStatus, WHOLE_SERVER } from '../../rpc/health/health.ts';
import { INFERENCE_SERVICE } from '../../rpc/inference-methods.ts';

/** What the coordinator of one group answers for: all of it needs the group. */
const SERVICES = [WHOLE_SERVER, INFERENCE_SERVICE];

/** Health that follows a group: it serves while all its chips are in one epoch. */
export class GroupHealth {
  readonly health = new Health();

  constructor() {
    this.#set('NOT_SERVING');
  }

  /** Takes what happened in the group. */
  observe(event: CoordinatorEvent): void {
    if (event.kind === 'ready') this.#set('SERVING');
    // Until the chips have joined a new epoch, requests wait.
    if (event.kind === 'stepFailed') this.#set('NOT_SERVING');
  }

  #set(status: Extract<ServingStatus, 'SERVING' | 'NOT_SERVING'>): void {
    for (const service of SERVICES) this.health.set(service, status);
  }
}
