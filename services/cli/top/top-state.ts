import type { ClusterSnapshot } from '../../client/index.ts';
import type { History } from './history.ts';
import type { RequestRow } from './request-log.ts';

/** What is known of the cluster at the moment that is shown. */
export interface TopState {
  /** Undefined before the first answer. */
  readonly snapshot: ClusterSnapshot | undefined;
  /** Engines of the cluster, of which one is shown. */
  readonly engines: number;
  readonly history: History;
  readonly requests: readonly RequestRow[];
  /** Undefined while the cluster answers. */
  readonly trouble: string | undefined;
  readonly nowMs: number;
}
