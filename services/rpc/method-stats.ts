import type { Status } from './status.ts';

/** What a method has done since its server started. */
export interface MethodCounts {
  /** Calls that arrived, refused ones included. */
  readonly requests: number;
  /** Calls that ended otherwise than OK, cancelled ones included. */
  readonly errors: number;
  /** Host time that all of them took so far, open ones included. */
  readonly processingMs: number;
  /** `CODE: message` of the last error; empty without one. */
  readonly lastError: string;
}

/** Counts the calls of one method; times come from one clock of the caller. */
export class MethodStats {
  #requests = 0;
  #errors = 0;
  #endedMs = 0;
  #lastError = '';
  #open = 0;
  #openSinceMs = 0;

  /** A call begins; gives what to call once, when it has ended. */
  begin(nowMs: number): (end: { readonly nowMs: number; readonly status: Status }) => void {
    this.#requests += 1;
    this.#open += 1;
    this.#openSinceMs += nowMs;
    return (end) => {
      this.#open -= 1;
      this.#openSinceMs -= nowMs;
      this.#endedMs += end.nowMs - nowMs;
      this.#count(end.status);
    };
  }

  counts(nowMs: number): MethodCounts {
    return {
      requests: this.#requests,
      errors: this.#errors,
      processingMs: this.#endedMs + this.#open * nowMs - this.#openSinceMs,
      lastError: this.#lastError,
    };
  }

  #count({ code, message }: Status): void {
    if (code === 'OK') return;
    this.#errors += 1;
    this.#lastError = `${code}: ${message}`;
  }
}
