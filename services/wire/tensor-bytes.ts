/** Floats as little-endian bytes, copied. */
export function floatsToBytes(floats: Float32Array | readonly number[]): Uint8Array {
  const copy = Float32Array.from(floats);
  return new Uint8Array(copy.buffer);
}

/** Little-endian bytes at any offset as floats, copied; undefined where the length is not a multiple of four. */
export function bytesToFloats(bytes: Uint8Array): Float32Array | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  return new Float32Array(bytes.slice().buffer);
}
