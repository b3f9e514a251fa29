/** One request of a load. */
export interface LoadRequest {
  /** Token ids, or a text whose tokens the server counts. */
  readonly prompt: readonly number[] | string;
  /** Most tokens of the answer. */
  readonly maxTokens: number;
}

/** What arrives of an answer. */
export type LoadEvent =
  | { readonly kind: 'tokens'; readonly count: number }
  /** What the server says the request came to. */
  | { readonly kind: 'usage'; readonly inputTokens: number; readonly outputTokens: number };

/** A server under load. */
export interface LoadTarget {
  /** Where it is, as a report says it. */
  readonly address: string;
  /** Name of the model that it serves. */
  readonly model: string;
  /** Sends a request; what it throws is a `LoadError` where the server or the network refused. */
  send(request: LoadRequest, signal: AbortSignal): AsyncIterable<LoadEvent>;
  close(): Promise<void>;
}

/** A request that failed, under a label that failures are counted by. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  /** A status, or the name of an error code. */
  readonly label: string;

  constructor(label: string, message: string) {
    super(message);
    this.label = label;
  }
}
