import type { Constraint } from '../../services/core/grammar/constraint.ts';
import type { GrammarState } from '../../services/core/grammar/grammar.ts';
import { TokenGrammars } from '../../services/core/grammar/token-grammars.ts';
import { isAllowed } from '../../services/core/sampling/token-mask.ts';
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

/** The token that ends a text. */
export const END = 0;

export function grammarsOf(tokenizer: Tokenizer): TokenGrammars {
  return new TokenGrammars({ tokenizer, vocabSize: tokenizer.vocabSize, endTokenIds: [END] });
}

/** Grammars over a vocabulary of bytes alone. */
export class ByteGrammars {
  readonly tokenizer: Tokenizer = makeTokenizer([]);
  readonly #grammars = grammarsOf(this.tokenizer);

  begin(constraint: Constraint): GrammarState {
    return this.#grammars.begin(constraint, undefined);
  }

  /** Whether all of the text is one that the constraint allows. */
  accepts(constraint: Constraint, text: string): boolean {
    let state: GrammarState | undefined = this.begin(constraint);
    for (const byte of encodeText(text)) state = state?.advance(byte + 1);
    return state !== undefined && isAllowed(state.allowed!, END);
  }
}
