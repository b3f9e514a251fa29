import { RpcError } from './status.ts';

/** The broker's default limit is 1 MiB; what is larger must not even be published. */
const MAX_FRAME_BYTES = 1_000_000;

/** The bytes of a frame that the broker will take. */
export function boundedBytes(writer: { finish(): Uint8Array }): Uint8Array {
  const bytes = writer.finish();
  if (bytes.length <= MAX_FRAME_BYTES) return bytes;
  throw new RpcError(
    'RESOURCE_EXHAUSTED',
    `a message of ${bytes.length} bytes exceeds the limit of ${MAX_FRAME_BYTES} bytes`,
  );
}

/** Undecodable bytes are an expected outcome on an open subject. */
export function attemptDecoding<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
