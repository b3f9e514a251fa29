/** The tokens that may be drawn: as a list where they are few, else a bit for each of the vocabulary. */
export type TokenMask =
  /** Ascending. */
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] }
  /** Token t is bit t % 8 of byte t / 8. */
  | { readonly kind: 'bits'; readonly bits: Uint8Array };

/** A listed token takes about so many bytes on the wire. */
const BYTES_PER_TOKEN = 2;

/** The mask of some bits, in its shorter form. */
export function makeTokenMask(bits: Uint8Array): TokenMask {
  const most = bits.length / BYTES_PER_TOKEN;
  const tokens: number[] = [];
  for (let byte = 0; byte < bits.length; byte++) {
    for (let rest = bits[byte]!; rest !== 0; rest &= rest - 1) {
      if (tokens.length >= most) return { kind: 'bits', bits };
      tokens.push(8 * byte + 31 - Math.clz32(rest & -rest));
    }
  }
  return { kind: 'tokens', tokens };
}

export function isAllowed(mask: TokenMask, token: number): boolean {
  if (mask.kind === 'tokens') return mask.tokens.includes(token);
  return ((mask.bits[token >> 3] ?? 0) & (1 << (token & 7))) !== 0;
}

/** Whether any token may be drawn. */
export function allowsAny(mask: TokenMask): boolean {
  return mask.kind === 'tokens' ? mask.tokens.length > 0 : mask.bits.some((byte) => byte !== 0);
}

/** The mask without some tokens. */
export function excluding(mask: TokenMask, tokens: readonly number[]): TokenMask {
  if (mask.kind === 'tokens') {
    return { kind: 'tokens', tokens: mask.tokens.filter((token) => !tokens.includes(token)) };
  }
  const bits = mask.bits.slice();
  for (const token of tokens) bits[token >> 3]! &= ~(1 << (token & 7));
  return makeTokenMask(bits);
}

/** Makes the others impossible; `logits[i]` belongs to token `firstToken + i`. */
export function applyTokenMask(logits: Float32Array, firstToken: number, mask: TokenMask): void {
  if (mask.kind === 'bits') {
    for (let i = 0; i < logits.length; i++) {
      if (!isAllowed(mask, firstToken + i)) logits[i] = Number.NEGATIVE_INFINITY;
    }
    return;
  }
  const own = mask.tokens.filter(
    (token) => token >= firstToken && token < firstToken + logits.length,
  );
  const kept = own.map((token) => logits[token - firstToken]!);
  logits.fill(Number.NEGATIVE_INFINITY);
  own.forEach((token, index) => {
    logits[token - firstToken] = kept[index]!;
  });
}
