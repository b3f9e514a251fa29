import type { Tokenizer } from '../../services/core/text/tokenizer.ts';

/** Token 0 ends a text, the 256 bytes follow, then the given pieces; a piece has no better claim than its bytes. */
export function makeTokenizer(pieces: readonly Uint8Array[]): Tokenizer {
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const tokens = [new Uint8Array(0), ...bytes, ...pieces];
  return {
    vocabSize: tokens.length,
    encode: (text) => Array.from(encodeText(text), (byte) => byte + 1),
    tokenBytes: (id) => tokens[id]!,
  };
}

export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Throws for what is no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
