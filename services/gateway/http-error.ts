export interface HttpErrorOptions extends ErrorOptions {
  /** The field of the request at fault. */
  readonly param?: string | undefined;
  /** When the client may try again. */
  readonly retryAfterMs?: number | undefined;
}

/** What a request ends with instead of an answer: an HTTP status and a sentence. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, options);
    this.status = status;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The error of a request that breaks its contract; the message is `<field> must …`. */
export function badRequest(message: string, param?: string): HttpError {
  return new HttpError(400, message, { param });
}
