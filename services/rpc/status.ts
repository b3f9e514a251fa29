import { InvalidArgumentError, ModelError } from '../core/support/errors.ts';
import type { ErrorDetail } from './error-details.ts';

/** The gRPC status codes and their numbers on the wire. */
export const STATUS_NUMBERS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusCode = keyof typeof STATUS_NUMBERS;

/** Every code but OK, which is not an error. */
export type ErrorCode = Exclude<StatusCode, 'OK'>;

/** How a call ended; the message is empty with OK. */
export interface Status {
  readonly code: StatusCode;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

export interface RpcErrorOptions extends ErrorOptions {
  readonly details?: readonly ErrorDetail[];
}

/** The one error that crosses the API: a status code, a sentence for a person, and details. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];

  constructor(code: ErrorCode, message: string, options: RpcErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = options.details ?? [];
  }

  /** Any thrown value as an RpcError; what is no known kind of error is INTERNAL. */
  static from(error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    const details = detailsOf(error);
    return new RpcError(codeOf(error), messageOf(error), { cause: error, details });
  }

  /** The error of a call whose AbortSignal fired with this reason. */
  static fromAbort(reason: unknown): RpcError {
    if (reason instanceof RpcError) return reason;
    const code = codeOf(reason) === 'DEADLINE_EXCEEDED' ? 'DEADLINE_EXCEEDED' : 'CANCELLED';
    return new RpcError(code, `the call was aborted: ${messageOf(reason)}`, { cause: reason });
  }
}

/** Frames of a call did not arrive, so that what its server sent is not known. */
export class LostFramesError extends RpcError {
  constructor(message: string) {
    super('DATA_LOSS', message);
  }
}

/** The error of a request or frame that breaks its contract; the message is `<field> must …`. */
export function invalidArgument(message: string): RpcError {
  return RpcError.from(new InvalidArgumentError(message));
}

const CODES_BY_NUMBER = new Map(
  Object.entries(STATUS_NUMBERS).map(([code, number]) => [number as number, code as StatusCode]),
);

/**
 * The code of a number from the wire; UNKNOWN where a newer peer sends one that is not defined
 * here.
 */
export function statusCodeOf(number: number): StatusCode {
  return CODES_BY_NUMBER.get(number) ?? 'UNKNOWN';
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof InvalidArgumentError) return 'INVALID_ARGUMENT';
  if (error instanceof ModelError) return 'FAILED_PRECONDITION';
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (error.name === 'AbortError') return 'CANCELLED';
  if (error.name === 'TimeoutError') return 'DEADLINE_EXCEEDED';
  return 'INTERNAL';
}

function detailsOf(error: unknown): readonly ErrorDetail[] {
  if (!(error instanceof InvalidArgumentError) || error.field === undefined) return [];
  const { field, message } = error;
  return [{ kind: 'badRequest', fieldViolations: [{ field, description: message }] }];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
