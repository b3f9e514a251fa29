import type { Range } from '../model/shard-plan.ts';
import { ModelError } from '../support/errors.ts';
import { SYNTHETIC_PARTS, SYNTHETIC_WORDS } from './synthetic-words.ts';
import type { Tokenizer } from './tokenizer.ts';
import { encodeUtf8 } from './utf8.ts';

/** The first ids that are not special are the bytes; the words of outputs follow. */
const BYTES = 256;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const NO_BYTES = new Uint8Array(0);
const VOWELS = 'aeiou';
const CONSONANTS = 'bcdfghklmnprst';
/** Shapes of four letters that English words have: v a vowel, c a common consonant. */
const SHAPES = ['cvcv', 'cvcc', 'vccv', 'vcvc', 'ccvc', 'cvvc'];
const MARKS =
  `. |, |; |: |? |! |.\n|,\n|\n\n|."|,"| "| (|) |), |).|'s|'t| - | — |\`, |\` | \`|\`\`\`|](|**| = |=>|//|::|()|{ | }|},|: "|", "|": |">|</|/>`
    .split('|')
    .concat([' | ', ' |', '| ']);
const RUNS = [...' -=#*.~/'].flatMap((mark) =>
  Array.from({ length: 31 }, (_, index) => mark.repeat(32 - index)),
);
const NUMBERS = Array.from({ length: 990 }, (_, index) => String(index + 10));

/**
 * A tokenizer for models that come without one: single bytes, common English words with the space
 * before them, and groups of letters, as many as the vocabulary has room for. It takes the longest
 * piece that fits at every place, so that English has about 4 characters a token, and any text comes
 * back from its tokens. It puts nothing around a text.
 */
export class SyntheticTokenizer implements Tokenizer {
  readonly vocabSize: number;
  /** Ids that read as words, each with a space before it; special ones may lie between them. */
  readonly words: Range;
  /** [vocab] */
  readonly #pieces: readonly Uint8Array[];
  readonly #byteIds: readonly number[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #longest: number;

  /** `specialIds` give no text. Throws a ModelError where not even bytes fit the vocabulary. */
  constructor(vocabSize: number, specialIds: readonly number[]) {
    const special = new Set(specialIds);
    if (vocabSize - special.size <= BYTES) {
      throw new ModelError(
        `vocab_size must leave room for ${BYTES} bytes and a word beside special tokens, not be ${vocabSize}: give --tokenizer`,
      );
    }
    const ids = Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !special.has(id));
    const texts = [...new Set(makePieces())].slice(0, ids.length - BYTES);
    const pieces = new Array<Uint8Array>(vocabSize).fill(NO_BYTES);
    for (let byte = 0; byte < BYTES; byte++) pieces[ids[byte]!] = Uint8Array.of(byte);
    for (const [index, text] of texts.entries()) pieces[ids[BYTES + index]!] = encodeUtf8(text);
    this.vocabSize = vocabSize;
    this.#pieces = pieces;
    this.#byteIds = ids.slice(0, BYTES);
    this.#ids = new Map(texts.map((text, index) => [text, ids[BYTES + index]!]));
    this.#longest = texts.reduce((most, { length }) => Math.max(most, length), 1);
    const words = Math.min(new Set(SYNTHETIC_WORDS).size, texts.length);
    this.words = { start: ids[BYTES]!, end: ids[BYTES + words - 1]! + 1 };
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    for (let at = 0; at < text.length; ) {
      const length = this.#lengthAt(text, at);
      if (length > 0) {
        ids.push(this.#ids.get(text.slice(at, at + length))!);
        at += length;
      } else {
        const character = String.fromCodePoint(text.codePointAt(at)!);
        for (const byte of encodeUtf8(character)) ids.push(this.#byteIds[byte]!);
        at += character.length;
      }
    }
    return ids;
  }

  tokenBytes(id: number): Uint8Array {
    return this.#pieces[id] ?? NO_BYTES;
  }

  /** Characters of the longest piece at a place; 0 where there is none. */
  #lengthAt(text: string, at: number): number {
    const most = Math.min(this.#longest, text.length - at);
    for (let length = most; length > 1; length--) {
      if (this.#ids.has(text.slice(at, at + length))) return length;
    }
    return 0;
  }
}

/** Pieces from the most to the least useful, some of them twice; all have several characters. */
function makePieces(): string[] {
  const words = [...SYNTHETIC_WORDS, ...SYNTHETIC_PARTS];
  const capitals = words.map(capitalise);
  const letters = [...LETTERS];
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  const triples = pairs.flatMap((pair) => letters.map((letter) => pair + letter));
  const capitalPairs = pairs.map(capitalise);
  const fours = SHAPES.flatMap(shaped);
  const spaced = (texts: readonly string[]): string[] => texts.map((text) => ` ${text}`);
  return [
    ...spaced(SYNTHETIC_WORDS),
    ...spaced(letters),
    ...pairs,
    ...words,
    ...spaced(pairs),
    ...spaced(capitals),
    ...capitals,
    ...MARKS,
    ...RUNS,
    ...NUMBERS,
    ...capitalPairs,
    ...triples,
    ...spaced(triples),
    ...spaced(SYNTHETIC_PARTS),
    ...fours,
    ...spaced(fours),
  ].filter(({ length }) => length > 1);
}

/** Every text of a shape. */
function shaped(shape: string): string[] {
  return [...shape].reduce<string[]>(
    (texts, kind) => texts.flatMap((text) => [...lettersOf(kind)].map((letter) => text + letter)),
    [''],
  );
}

function lettersOf(kind: string): string {
  return kind === 'v' ? VOWELS : CONSONANTS;
}

function capitalise(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}
