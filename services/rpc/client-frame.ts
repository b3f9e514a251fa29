import { sohu } from '#proto';
import { type Credit, NO_CREDIT } from './credit.ts';
import { attemptDecoding, boundedBytes } from './frame-bytes.ts';
import type { Metadata } from './metadata.ts';
import { isToken } from './subjects.ts';

const Message = sohu.v1.ClientFrame;

export interface OpenFrame {
  readonly kind: 'open';
  readonly callId: string;
  /** `<Service>.<Method>`. */
  readonly method: string;
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly payload: Uint8Array;
  readonly metadata: Metadata;
  /** What the server may send at first. */
  readonly credit: Credit;
}

export interface CancelFrame {
  readonly kind: 'cancel';
  readonly callId: string;
  readonly reason: string;
}

export interface CreditFrame {
  readonly kind: 'credit';
  readonly callId: string;
  readonly credit: Credit;
}

/** A frame that names its call and says nothing valid: worth an answer. */
export interface EmptyFrame {
  readonly kind: 'empty';
  readonly callId: string;
}

export type ClientFrame = OpenFrame | CancelFrame | CreditFrame;

export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  return boundedBytes(Message.encode({ callId: frame.callId, ...bodyFields(frame) }));
}

/** The frame in its own memory, or undefined where the bytes do not even name a call. */
export function decodeClientFrame(data: Uint8Array): ClientFrame | EmptyFrame | undefined {
  const frame = attemptDecoding(() => Message.decode(data));
  if (frame === undefined || !isToken(frame.callId)) return undefined;
  const { callId, open, cancel, credit } = frame;
  if (cancel) return { kind: 'cancel', callId, reason: cancel.reason ?? '' };
  if (credit) return { kind: 'credit', callId, credit: creditOf(credit) };
  if (!open) return { kind: 'empty', callId };
  return {
    kind: 'open',
    callId,
    method: open.method ?? '',
    timeoutMs: open.timeoutMs ?? 0,
    payload: new Uint8Array(open.payload ?? []),
    metadata: new Map(Object.entries(open.metadata ?? {})),
    credit: creditOf(open.credit ?? {}),
  };
}

function bodyFields(frame: ClientFrame): sohu.v1.ClientFrame.$Properties {
  switch (frame.kind) {
    case 'open': {
      const { method, timeoutMs, payload, credit } = frame;
      const metadata = Object.fromEntries(frame.metadata);
      return { open: { method, timeoutMs, payload, metadata, credit } };
    }
    case 'cancel':
      return { cancel: { reason: frame.reason } };
    case 'credit':
      return { credit: frame.credit };
  }
}

/** A number of bytes that is none grants none. */
function creditOf({ messages, bytes }: sohu.v1.ClientFrame.Credit.$Properties): Credit {
  const isCount = Number.isSafeInteger(bytes) && (bytes ?? 0) > 0;
  return { messages: messages ?? NO_CREDIT.messages, bytes: isCount ? bytes! : NO_CREDIT.bytes };
}
