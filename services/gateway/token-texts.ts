import { decodeTokens } from '../core/text/text-stream.ts';
import type { Tokenizer } from '../core/text/tokenizer.ts';

const NO_BYTES = new Uint8Array(0);

/** Token ids of texts, and texts of token ids, special tokens by their names. */
export class TokenTexts {
  readonly #tokenizer: Tokenizer;
  readonly #specials: ReadonlyMap<number, string>;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #longest: number | undefined;
  /** What the tokenizer puts before every text and after it. */
  #added: { readonly before: number; readonly after: number } | undefined;

  /** `specials` are the names of the tokens that give no text of their own. */
  constructor(tokenizer: Tokenizer, specials: ReadonlyMap<number, string>) {
    this.#tokenizer = tokenizer;
    this.#specials = specials;
  }

  get vocabSize(): number {
    return this.#tokenizer.vocabSize;
  }

  /** Bytes of the longest token: no text has more for each of its tokens. */
  get longestTokenBytes(): number {
    this.#longest ??= longestToken(this.#tokenizer);
    return this.#longest;
  }

  /** The ids of a text; `addSpecialTokens` is false where the text itself names all that it needs. */
  encode(text: string, options: { readonly addSpecialTokens: boolean }): readonly number[] {
    const ids = this.#tokenizer.encode(text);
    if (options.addSpecialTokens) return ids;
    this.#added ??= countAdded(this.#tokenizer);
    return ids.slice(this.#added.before, ids.length - this.#added.after);
  }

  /** The text of a sequence of tokens without special ones. */
  decode(ids: readonly number[]): string {
    return decodeTokens(this.#tokenizer, ids);
  }

  /** One token as text: U+FFFD for bytes that are no character by themselves. */
  textOf(id: number): string {
    return this.#specials.get(id) ?? this.#decoder.decode(this.#tokenBytes(id));
  }

  bytesOf(id: number): Uint8Array {
    const special = this.#specials.get(id);
    return special === undefined ? this.#tokenBytes(id) : this.#encoder.encode(special);
  }

  /** As in the middle of a text, where no space is dropped. */
  #tokenBytes(id: number): Uint8Array {
    return id < this.#tokenizer.vocabSize ? this.#tokenizer.tokenBytes(id, id) : NO_BYTES;
  }
}

/** A tokenizer does not say what it adds; two texts without anything in common show it. */
function countAdded(tokenizer: Tokenizer): { before: number; after: number } {
  const [first, second] = [tokenizer.encode('a'), tokenizer.encode('Z9')];
  const most = Math.min(first.length, second.length) - 1;
  let before = 0;
  while (before < most && first[before] === second[before]) before++;
  let after = 0;
  while (after < most - before && first.at(-1 - after) === second.at(-1 - after)) after++;
  return { before, after };
}

function longestToken(tokenizer: Tokenizer): number {
  let longest = 1;
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    longest = Math.max(longest, tokenizer.tokenBytes(id, id).length);
  }
  return longest;
}
