/** Floats as little-endian bytes, copied. */
export function floatsToBytes(floats: Float32Array | readonly number[]): Uint8Array {
  const copy = Float32Array.from(floats);
  return new Uint8Array(copy.buffer);
}

/**
 * Little-endian bytes at any offset as floats, copied; undefined where the length is not a multiple
 * of four.
 */
export function bytesToFloats(bytes: Uint8Array): Float32Array | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  // A copy in memory of its own: the slice of a Buffer would be a view at any offset.
  return new Float32Array(new Uint8Array(bytes).buffer);
}
