import type { GenerationRequest } from '../core/scheduler/request.ts';

/** What a coordinator writes down, so that one that starts after it can go on. */
export type JournalRecord =
  /** The group enters an epoch; no later coordinator may begin with it or one before. */
  | { readonly kind: 'epoch'; readonly epoch: number }
  | { readonly kind: 'accepted'; readonly request: GenerationRequest }
  /** A sample of a request has drawn its next token, and perhaps its last one. */
  | {
      readonly kind: 'token';
      readonly requestId: string;
      readonly choice: number;
      readonly token: number;
      readonly isLast: boolean;
    }
  /** A sample ends without another token: it was cancelled, or has failed. */
  | { readonly kind: 'ended'; readonly requestId: string; readonly choice: number };

/**
 * Where a coordinator writes down what must outlast it. What is appended need not be durable at
 * once: tokens that are lost are computed anew, with the same result.
 */
export interface Journal {
  /** What coordinators before this one wrote, in order. */
  readonly recovered: readonly JournalRecord[];
  /** `Coordinator.journaled` says when it is durable. */
  append(record: JournalRecord): void;
}
