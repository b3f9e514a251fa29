import { sohu } from '#proto';
import { attemptDecoding, boundedBytes } from './frame-bytes.ts';
import type { Metadata } from './metadata.ts';
import type { Status } from './status.ts';
import { statusFields, statusOf } from './status-codec.ts';
import { isToken } from './subjects.ts';

const Message = sohu.v1.ServerFrame;

/** What a server frame says. */
export type ServerFrameBody =
  | { readonly kind: 'accepted'; readonly serverId: string }
  | { readonly kind: 'headers'; readonly headers: Metadata }
  | { readonly kind: 'message'; readonly payload: Uint8Array }
  | { readonly kind: 'heartbeat' }
  | EndBody;

export interface EndBody {
  readonly kind: 'end';
  readonly status: Status;
  readonly messageCount: number;
  readonly trailers: Metadata;
}

export interface ServerFrame {
  readonly callId: string;
  /** Counts the frames of the call, dense from 0. */
  readonly sequence: number;
  readonly body: ServerFrameBody;
}

export function encodeServerFrame(frame: ServerFrame): Uint8Array {
  const { callId, sequence } = frame;
  return boundedBytes(Message.encode({ callId, sequence, ...bodyFields(frame.body) }));
}

/** The frame in its own memory, or undefined where the bytes are none. */
export function decodeServerFrame(data: Uint8Array): ServerFrame | undefined {
  const frame = attemptDecoding(() => Message.decode(data));
  if (frame === undefined) return undefined;
  const body = bodyOf(frame);
  return body && { callId: frame.callId, sequence: frame.sequence, body };
}

function bodyFields(body: ServerFrameBody): sohu.v1.ServerFrame.$Properties {
  switch (body.kind) {
    case 'accepted':
      return { accepted: { serverId: body.serverId } };
    case 'headers':
      return { headers: { headers: Object.fromEntries(body.headers) } };
    case 'message':
      return { message: { payload: body.payload } };
    case 'heartbeat':
      return { heartbeat: {} };
    case 'end': {
      const { status, messageCount, trailers } = body;
      const fields = { status: statusFields(status), messageCount };
      return { end: { ...fields, trailers: Object.fromEntries(trailers) } };
    }
  }
}

function bodyOf(frame: sohu.v1.ServerFrame.$Properties): ServerFrameBody | undefined {
  const { accepted, headers, message, heartbeat, end } = frame;
  if (message) return { kind: 'message', payload: new Uint8Array(message.payload ?? []) };
  if (heartbeat) return { kind: 'heartbeat' };
  if (headers) return { kind: 'headers', headers: metadataOf(headers.headers) };
  if (accepted) {
    const serverId = accepted.serverId ?? '';
    return isToken(serverId) ? { kind: 'accepted', serverId } : undefined;
  }
  if (!end?.status) return undefined;
  const trailers = metadataOf(end.trailers);
  return {
    kind: 'end',
    status: statusOf(end.status),
    messageCount: end.messageCount ?? 0,
    trailers,
  };
}

function metadataOf(entries: Readonly<Record<string, string>> | null | undefined): Metadata {
  return new Map(Object.entries(entries ?? {}));
}
