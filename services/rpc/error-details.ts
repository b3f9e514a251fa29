/** When the client may try again. */
export interface RetryInfo {
  readonly kind: 'retryInfo';
  readonly retryDelayMs: number;
}

/** A field of the request that breaks its contract. */
export interface FieldViolation {
  /** Path to the field, as the wire names it. */
  readonly field: string;
  readonly description: string;
}

export interface BadRequest {
  readonly kind: 'badRequest';
  readonly fieldViolations: readonly FieldViolation[];
}

/** A limit that the call would exceed. */
export interface QuotaViolation {
  /** Whose limit it is. */
  readonly subject: string;
  readonly description: string;
}

export interface QuotaFailure {
  readonly kind: 'quotaFailure';
  readonly violations: readonly QuotaViolation[];
}

/** The cause of the error, for programs. */
export interface ErrorInfo {
  readonly kind: 'errorInfo';
  /** A constant in UPPER_SNAKE_CASE, unique in its domain. */
  readonly reason: string;
  readonly domain: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A detail that this version does not know, as it came. */
export interface OpaqueDetail {
  readonly kind: 'opaque';
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** What an error says besides its code and message: the standard details of google.rpc. */
export type ErrorDetail = RetryInfo | BadRequest | QuotaFailure | ErrorInfo | OpaqueDetail;
