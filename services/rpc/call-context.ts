import type { Metadata } from './metadata.ts';

/** What a handler knows about the call besides its request, and what it can say besides responses. */
export interface CallContext {
  /**
   * Fires when the client cancels, the deadline passes or the server stops; its reason is an
   * RpcError.
   */
  readonly signal: AbortSignal;
  /**
   * Host time in milliseconds since the epoch at which the call ends; undefined without a limit.
   */
  readonly deadlineMs: number | undefined;
  readonly metadata: Metadata;
  /** Travels with the headers; FAILED_PRECONDITION once those were sent. */
  setHeader(name: string, value: string): void;
  /** Sends the headers now, and not only with the first message. */
  sendHeaders(): void;
  /** Travels with the end of the call, well or not. */
  setTrailer(name: string, value: string): void;
  /**
   * Options for calls made on behalf of this one: they end with it, and may take the time that it
   * has left.
   */
  onward(): { readonly signal: AbortSignal; readonly timeoutMs: number | undefined };
}
