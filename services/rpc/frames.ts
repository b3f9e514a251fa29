import { sohu } from '#proto';
import { RpcError, STATUS_NUMBERS, type Status, statusCodeOf } from './status.ts';
import { isToken } from './subjects.ts';

const { ClientFrame: ClientFrameMessage, ServerFrame: ServerFrameMessage } = sohu.v1;

export interface OpenFrame {
  readonly kind: 'open';
  readonly callId: string;
  /** `<Service>.<Method>`. */
  readonly method: string;
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly payload: Uint8Array;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface CancelFrame {
  readonly kind: 'cancel';
  readonly callId: string;
  readonly reason: string;
}

/** A frame that names its call and says nothing valid: worth an answer. */
export interface EmptyFrame {
  readonly kind: 'empty';
  readonly callId: string;
}

export type ClientFrame = OpenFrame | CancelFrame;

/** What a server frame says; `sequence` counts the frames of the call, dense from 0. */
export type ServerFrameBody =
  | { readonly kind: 'accepted'; readonly serverId: string }
  | { readonly kind: 'message'; readonly payload: Uint8Array }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'end'; readonly status: Status; readonly messageCount: number };

export interface ServerFrame {
  readonly callId: string;
  readonly sequence: number;
  readonly body: ServerFrameBody;
}

/** The broker's default limit is 1 MiB; what is larger must not even be published. */
const MAX_FRAME_BYTES = 1_000_000;

export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  const { callId } = frame;
  if (frame.kind === 'cancel') {
    return bounded(ClientFrameMessage.encode({ callId, cancel: { reason: frame.reason } }));
  }
  const { method, timeoutMs, payload } = frame;
  const metadata = Object.fromEntries(frame.metadata);
  const open = { method, timeoutMs, payload, metadata };
  return bounded(ClientFrameMessage.encode({ callId, open }));
}

/** The frame in its own memory, or undefined where the bytes do not even name a call. */
export function decodeClientFrame(data: Uint8Array): ClientFrame | EmptyFrame | undefined {
  const frame = attempt(() => ClientFrameMessage.decode(data));
  if (frame === undefined || !isToken(frame.callId)) return undefined;
  const { callId, open, cancel } = frame;
  if (cancel) return { kind: 'cancel', callId, reason: cancel.reason ?? '' };
  if (!open) return { kind: 'empty', callId };
  return {
    kind: 'open',
    callId,
    method: open.method ?? '',
    timeoutMs: open.timeoutMs ?? 0,
    payload: Uint8Array.from(open.payload ?? []),
    metadata: new Map(Object.entries(open.metadata ?? {})),
  };
}

export function encodeServerFrame(frame: ServerFrame): Uint8Array {
  const { callId, sequence } = frame;
  return bounded(ServerFrameMessage.encode({ callId, sequence, ...bodyFields(frame.body) }));
}

/** The frame in its own memory, or undefined where the bytes are none. */
export function decodeServerFrame(data: Uint8Array): ServerFrame | undefined {
  const frame = attempt(() => ServerFrameMessage.decode(data));
  const body = frame === undefined ? undefined : bodyOf(frame);
  if (frame === undefined || body === undefined) return undefined;
  return { callId: frame.callId, sequence: frame.sequence, body };
}

function bodyFields(body: ServerFrameBody): sohu.v1.ServerFrame.$Properties {
  switch (body.kind) {
    case 'accepted':
      return { accepted: { serverId: body.serverId } };
    case 'message':
      return { message: { payload: body.payload } };
    case 'heartbeat':
      return { heartbeat: {} };
    case 'end': {
      const status = { code: STATUS_NUMBERS[body.status.code], message: body.status.message };
      return { end: { status, messageCount: body.messageCount } };
    }
  }
}

function bodyOf(frame: sohu.v1.ServerFrame.$Properties): ServerFrameBody | undefined {
  const { accepted, message, heartbeat, end } = frame;
  if (message) return { kind: 'message', payload: Uint8Array.from(message.payload ?? []) };
  if (heartbeat) return { kind: 'heartbeat' };
  if (accepted) {
    const serverId = accepted.serverId ?? '';
    return isToken(serverId) ? { kind: 'accepted', serverId } : undefined;
  }
  if (!end?.status) return undefined;
  const { code, message: text } = end.status;
  const status = { code: statusCodeOf(code ?? 0), message: text ?? '' };
  return { kind: 'end', status, messageCount: end.messageCount ?? 0 };
}

function bounded(writer: { finish(): Uint8Array }): Uint8Array {
  const bytes = writer.finish();
  if (bytes.length <= MAX_FRAME_BYTES) return bytes;
  throw new RpcError(
    'RESOURCE_EXHAUSTED',
    `a message of ${bytes.length} bytes exceeds the limit of ${MAX_FRAME_BYTES} bytes`,
  );
}

/** Undecodable bytes are an expected outcome on an open subject. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
