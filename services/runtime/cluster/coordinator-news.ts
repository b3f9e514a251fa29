import type { Pace } from '../../cluster/pacer.ts';
import type { CoordinatorMessage } from '../coordinator/coordinator-messages.ts';
import type { LoadReport } from '../load/load-report.ts';

/** What a coordinator tells while it serves. */
export class CoordinatorNews {
  /** Resolves when an offered load has been served. */
  readonly loadReport: Promise<LoadReport>;
  #served!: (report: LoadReport) => void;
  #pace: Pace | undefined;

  constructor() {
    this.loadReport = new Promise((resolve) => {
      this.#served = resolve;
    });
  }

  /** The last that was told; undefined before a step was complete. */
  get pace(): Pace | undefined {
    return this.#pace;
  }

  take(message: Extract<CoordinatorMessage, { readonly kind: 'pace' | 'load' }>): void {
    if (message.kind === 'pace') this.#pace = message.pace;
    else this.#served(message.report);
  }
}
