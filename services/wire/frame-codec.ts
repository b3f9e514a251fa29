import { crc32 } from 'node:zlib';
import { sohu } from '#proto';
import { EXCHANGE_KINDS, type FrameKind, type ShardFrame } from '../core/collectives/frame.ts';

const FrameMessage = sohu.v1.ShardFrame;

const KINDS: readonly FrameKind[] = ['partial', 'result', 'requestPartial', 'requestResult'];

/** The outcome of decoding: a frame, or why there is none. */
export type DecodedFrame =
  | { readonly kind: 'frame'; readonly frame: ShardFrame }
  | { readonly kind: 'malformed' | 'corrupt' };

/** Encodes a frame with its checksum. */
export function encodeFrame(frame: ShardFrame): Uint8Array {
  return FrameMessage.encode({
    epoch: frame.epoch,
    step: frame.step,
    exchange: frame.exchange,
    layer: frame.layer,
    operation: EXCHANGE_KINDS.indexOf(frame.operation),
    kind: KINDS.indexOf(frame.kind),
    source: frame.source,
    chunk: frame.chunk,
    crc: checksum(frame),
    payload: frame.payload,
    ...(frame.modelledBytes > 0 && { modelledBytes: frame.modelledBytes }),
  }).finish();
}

/** Decodes and checks a frame. Its payload is a view of `data`. */
export function decodeFrame(data: Uint8Array): DecodedFrame {
  let message: sohu.v1.ShardFrame;
  try {
    message = FrameMessage.decode(data);
  } catch {
    return { kind: 'malformed' };
  }
  const operation = EXCHANGE_KINDS[message.operation];
  const kind = KINDS[message.kind];
  if (operation === undefined || kind === undefined) return { kind: 'malformed' };
  const { epoch, step, exchange, layer, source, chunk, payload, modelledBytes } = message;
  const frame: ShardFrame = {
    epoch,
    step,
    exchange,
    layer,
    operation,
    kind,
    source,
    chunk,
    payload,
    modelledBytes,
  };
  return checksum(frame) === message.crc ? { kind: 'frame', frame } : { kind: 'corrupt' };
}

const header = new Uint32Array(10);
const headerView = new DataView(header.buffer);
const headerBytes = new Uint8Array(header.buffer);

/**
 * CRC-32 over the payload, then over the header as eight little-endian words and a double: a flipped
 * bit anywhere is found.
 */
function checksum(frame: ShardFrame): number {
  header[0] = frame.epoch;
  header[1] = frame.step;
  header[2] = frame.exchange;
  header[3] = frame.layer;
  header[4] = EXCHANGE_KINDS.indexOf(frame.operation);
  header[5] = KINDS.indexOf(frame.kind);
  header[6] = frame.source;
  header[7] = frame.chunk;
  headerView.setFloat64(32, frame.modelledBytes, true);
  return crc32(headerBytes, crc32(frame.payload));
}
