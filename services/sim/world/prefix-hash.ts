/** A hash of a token and all those before it, whose hash is `before`; 0 is that of none. */
export function hashPrefix(before: number, token: number): number {
  const low = Math.imul((before >>> 0) ^ (token + 1), 0x9e3779b1) >>> 0;
  const high = Math.imul(Math.floor(before / 2 ** 32) ^ low ^ (low >>> 15), 0x85ebca6b) >>> 0;
  return (high & 0x1f_ffff) * 2 ** 32 + low;
}
