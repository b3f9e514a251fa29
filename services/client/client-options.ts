import type { CallOptions } from '../rpc/call-options.ts';
import type { RetryOptions } from '../rpc/retry/retrying.ts';
import type { ResumeOptions } from './resume-rules.ts';

/** How a client talks to its cluster. */
export interface SohuClientOptions {
  /** Name of the cluster; "sohu" where absent. */
  readonly cluster?: string;
  /** A file with the seed of the nkey that the broker knows this client by. */
  readonly nkeyFile?: string | undefined;
  /** Host time that each call may take unless it says otherwise; following events has no limit. */
  readonly timeoutMs?: number;
  /**
   * How calls that failed before their first answer are tried again; `false` leaves that to the
   * caller. Where absent, as gRPC clients do.
   */
  readonly retry?: RetryOptions | false;
  /**
   * How streams of tokens go on whose server is lost: they pause, and continue with another one, or
   * with the same when it is back. `false` fails them with UNAVAILABLE, as does a `retry` of `false`
   * where this is absent.
   */
  readonly resume?: ResumeOptions | false;
  /** Calls beyond this number fail with RESOURCE_EXHAUSTED; 1024 where absent. */
  readonly maxOpenCalls?: number;
}

export interface DetokenizeOptions extends CallOptions {
  /** The token before them; they begin a text where it is absent. */
  readonly previousTokenId?: number | undefined;
}

export interface HealthOptions extends CallOptions {
  /** The full name of a service, such as `sohu.v1.Inference`; the server as a whole where absent. */
  readonly service?: string;
}

export interface KvEventsOptions extends CallOptions {
  /** Number of the first batch wanted; the next that comes where absent. */
  readonly startSequenceNumber?: number;
}

/** Options of what takes many calls, whose headers and trailers nobody could tell apart. */
export type SearchOptions = Pick<CallOptions, 'signal' | 'timeoutMs' | 'metadata'>;
