/**
 * A 32-bit FNV-1a hash over the bit patterns of floats: equal for equal bits, and cheap enough for
 * every step.
 */
export function digestFloats(floats: Float32Array): number {
  return digestWords(new Uint32Array(floats.buffer, floats.byteOffset, floats.length));
}

/** The same over 32-bit words. */
export function digestWords(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}
