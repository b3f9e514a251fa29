import type { ErrorDetail } from '../rpc/error-details.ts';
import { type ErrorCode, RpcError } from '../rpc/status.ts';
import { HttpError } from './http-error.ts';

/** The body of every error but those of keys, as OpenAI and vLLM shape it. */
export interface ErrorEnvelope {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    /** The HTTP status. */
    readonly code: number;
  };
}

/** The HTTP status of each code that a call behind the gateway may end with. */
const STATUS_OF_CODE: Readonly<Record<ErrorCode, number>> = {
  // Nobody is there to read it: the client has left.
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  // A full queue, as in vLLM: another replica may have room. A quota is the client's own: 429.
  RESOURCE_EXHAUSTED: 503,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

const QUOTA_STATUS = 429;

const TYPE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  405: 'MethodNotAllowedError',
  408: 'RequestTimeoutError',
  409: 'ConflictError',
  413: 'PayloadTooLargeError',
  415: 'UnsupportedMediaTypeError',
  422: 'UnprocessableEntityError',
  429: 'RateLimitError',
  431: 'HeadersTooLargeError',
  500: 'InternalServerError',
  501: 'NotImplementedError',
  503: 'ServiceUnavailableError',
  504: 'GatewayTimeoutError',
};

/** Clients that are told to come again without a time come after this one. */
const DEFAULT_RETRY_MS = 1_000;

/** Any thrown value as an HttpError; what is no known kind of error is a 500 that tells nothing. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (isFrameworkError(error)) return new HttpError(error.statusCode, error.message);
  const { code, message, details, cause } = RpcError.from(error);
  const isOurs = code === 'INTERNAL' && !(error instanceof RpcError);
  const text = isOurs ? 'the gateway failed at this request' : message;
  return new HttpError(statusOf(code, details), text, {
    param: paramOf(details),
    retryAfterMs: retryDelayOf(details),
    cause: cause ?? error,
  });
}

/** The body that tells of an error. */
export function toEnvelope({ message, status, param }: HttpError): ErrorEnvelope {
  return { error: { message, type: typeOf(status), param: param ?? null, code: status } };
}

/** Seconds for `Retry-After`; undefined where trying again would not help. */
export function retryAfterSeconds({ status, retryAfterMs }: HttpError): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  return Math.max(1, Math.ceil((retryAfterMs ?? DEFAULT_RETRY_MS) / 1000));
}

function statusOf(code: ErrorCode, details: readonly ErrorDetail[]): number {
  const isQuota = details.some(({ kind }) => kind === 'quotaFailure');
  return code === 'RESOURCE_EXHAUSTED' && isQuota ? QUOTA_STATUS : STATUS_OF_CODE[code];
}

function typeOf(status: number): string {
  return TYPE_OF_STATUS[status] ?? (status < 500 ? 'BadRequestError' : 'InternalServerError');
}

function paramOf(details: readonly ErrorDetail[]): string | undefined {
  const detail = details.find((each) => each.kind === 'badRequest');
  return detail?.fieldViolations[0]?.field;
}

function retryDelayOf(details: readonly ErrorDetail[]): number | undefined {
  return details.find((each) => each.kind === 'retryInfo')?.retryDelayMs;
}

/** What the HTTP library throws at a request that it cannot read. */
function isFrameworkError(error: unknown): error is Error & { readonly statusCode: number } {
  if (!(error instanceof Error)) return false;
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
}
