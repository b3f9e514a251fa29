import { ModelError } from '../support/errors.ts';
import { type Merge, mergePairs } from './pair-merger.ts';
import type { Tokenizer } from './tokenizer.ts';
import { encodeUtf8 } from './utf8.ts';

const BOS = 1;
const EOS = 2;
/** Ids 0 to 2 are the special tokens; the 256 bytes follow. */
const FIRST_BYTE_TOKEN = 3;
const SPACE = 0x20;
const NO_BYTES = new Uint8Array(0);

/** The tokenizer of llama2.c's run.c, from its tokenizer.bin; equal to run.c token for token. */
export class Llama2cTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly #pieces: readonly Uint8Array[]; // [vocab]
  readonly #keys: readonly string[]; // [vocab]: each piece with one character per byte
  readonly #scores: Float32Array; // [vocab]
  readonly #ids = new Map<string, number>();

  /** `file` holds the longest token's length, then score, length and bytes of every token. */
  constructor(file: Uint8Array) {
    const { pieces, scores } = parsePieces(file);
    if (pieces.length < FIRST_BYTE_TOKEN + 256) {
      throw new ModelError(
        `a llama2.c tokenizer must have at least ${FIRST_BYTE_TOKEN + 256} tokens, not ${pieces.length}`,
      );
    }
    this.vocabSize = pieces.length;
    this.#pieces = pieces;
    this.#scores = scores;
    this.#keys = pieces.map(toKey);
    this.#keys.forEach((key, id) => {
      if (!this.#ids.has(key)) this.#ids.set(key, id);
    });
  }

  encode(text: string): number[] {
    if (text === '') return [BOS];
    const characters = Array.from(text, (character) => encodeUtf8(character));
    const ids = [Uint8Array.of(SPACE), ...characters].flatMap((bytes) => this.#lookUp(bytes));
    return [BOS, ...mergePairs(ids, (left, right) => this.#findMerge(left, right))];
  }

  tokenBytes(id: number, previous: number | undefined): Uint8Array {
    const piece = this.#pieces[id];
    if (piece === undefined || id === BOS || id === EOS) return NO_BYTES;
    const startsText = previous === undefined || previous === BOS;
    if (startsText && piece[0] === SPACE) return piece.subarray(1);
    const byte = /^<0x([0-9A-Fa-f]{2})>/.exec(this.#keys[id] ?? '')?.[1];
    return byte === undefined ? piece : Uint8Array.of(Number.parseInt(byte, 16));
  }

  /** The token of one character, or those of its bytes. */
  #lookUp(bytes: Uint8Array): number[] {
    const id = this.#ids.get(toKey(bytes));
    return id === undefined ? Array.from(bytes, (byte) => byte + FIRST_BYTE_TOKEN) : [id];
  }

  #findMerge(left: number, right: number): Merge | undefined {
    const id = this.#ids.get(`${this.#keys[left]}${this.#keys[right]}`);
    return id === undefined ? undefined : { id, score: this.#scores[id]! };
  }
}

function parsePieces(file: Uint8Array): { pieces: Uint8Array[]; scores: Float32Array } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const pieces: Uint8Array[] = [];
  const scores: number[] = [];
  let offset = 4;
  while (offset < file.length) {
    const length = offset + 8 <= file.length ? view.getInt32(offset + 4, true) : -1;
    const end = offset + 8 + length;
    if (length < 0 || end > file.length) {
      throw new ModelError(
        `the llama2.c tokenizer's token ${pieces.length} at byte ${offset} does not fit the file's ${file.length} bytes`,
      );
    }
    scores.push(readScore(view, offset, pieces.length));
    pieces.push(file.slice(offset + 8, end));
    offset = end;
  }
  return { pieces, scores: Float32Array.from(scores) };
}

function readScore(view: DataView, offset: number, id: number): number {
  const score = view.getFloat32(offset, true);
  if (Number.isNaN(score)) {
    throw new ModelError(
      `the llama2.c tokenizer's token ${id} must have a number as score, not NaN`,
    );
  }
  return score;
}

function toKey(bytes: Uint8Array): string {
  let key = '';
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}
