import { google } from '#proto';
import type { ErrorDetail } from './error-details.ts';
import { STATUS_NUMBERS, type Status, statusCodeOf } from './status.ts';

const { RetryInfo, BadRequest, QuotaFailure, ErrorInfo } = google.rpc;
type AnyFields = google.protobuf.Any.$Properties;

const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** The fields of a google.rpc.Status. */
export function statusFields({ code, message, details }: Status): google.rpc.Status.$Properties {
  return { code: STATUS_NUMBERS[code], message, details: details.map(anyFields) };
}

export function statusOf({ code, message, details }: google.rpc.Status.$Properties): Status {
  return {
    code: statusCodeOf(code ?? 0),
    message: message ?? '',
    details: (details ?? []).map(detailOf),
  };
}

function anyFields(detail: ErrorDetail): AnyFields {
  switch (detail.kind) {
    case 'retryInfo': {
      const seconds = Math.floor(detail.retryDelayMs / 1e3);
      const nanos = Math.round((detail.retryDelayMs - seconds * 1e3) * 1e6);
      return packed('RetryInfo', RetryInfo.encode({ retryDelay: { seconds, nanos } }));
    }
    case 'badRequest': {
      const fieldViolations = [...detail.fieldViolations];
      return packed('BadRequest', BadRequest.encode({ fieldViolations }));
    }
    case 'quotaFailure':
      return packed('QuotaFailure', QuotaFailure.encode({ violations: [...detail.violations] }));
    case 'errorInfo': {
      const metadata = Object.fromEntries(detail.metadata);
      return packed('ErrorInfo', ErrorInfo.encode({ ...detail, metadata }));
    }
    case 'opaque':
      return { type_url: detail.typeUrl, value: detail.value };
  }
}

function packed(name: string, writer: { finish(): Uint8Array }): AnyFields {
  return { type_url: TYPE_PREFIX + name, value: writer.finish() };
}

/** A detail that cannot be read is kept as it came: the error matters more. */
function detailOf(any: AnyFields): ErrorDetail {
  const typeUrl = any.type_url ?? '';
  const value = new Uint8Array(any.value ?? []);
  try {
    return knownDetail(typeUrl, value) ?? { kind: 'opaque', typeUrl, value };
  } catch {
    return { kind: 'opaque', typeUrl, value };
  }
}

function knownDetail(typeUrl: string, value: Uint8Array): ErrorDetail | undefined {
  switch (typeUrl) {
    case `${TYPE_PREFIX}RetryInfo`: {
      const { retryDelay } = RetryInfo.decode(value);
      // Seconds have 64 bits: an object where they were decoded, but always digits as text.
      const seconds = Number(String(retryDelay?.seconds ?? 0));
      return { kind: 'retryInfo', retryDelayMs: seconds * 1e3 + (retryDelay?.nanos ?? 0) / 1e6 };
    }
    case `${TYPE_PREFIX}BadRequest`: {
      const violations = BadRequest.decode(value).fieldViolations;
      const fieldViolations = violations.map(({ field, description }) => ({
        field: field ?? '',
        description: description ?? '',
      }));
      return { kind: 'badRequest', fieldViolations };
    }
    case `${TYPE_PREFIX}QuotaFailure`: {
      const violations = QuotaFailure.decode(value).violations.map(({ subject, description }) => ({
        subject: subject ?? '',
        description: description ?? '',
      }));
      return { kind: 'quotaFailure', violations };
    }
    case `${TYPE_PREFIX}ErrorInfo`: {
      const { reason, domain, metadata } = ErrorInfo.decode(value);
      return { kind: 'errorInfo', reason, domain, metadata: new Map(Object.entries(metadata)) };
    }
  }
  return undefined;
}
