import type { Machine, MachineState } from './machine.ts';

/**
 * Places that may be looked at for one mask. A mask of a JSON schema takes hundreds; more than this
 * would hold up a step for all requests.
 */
const MAX_WORK = 100_000;

/** The bytes of all tokens in order, so that what begins alike is walked once. */
export class TokenTrie {
  readonly #vocabSize: number;
  /** By bytes; tokens without any are left out. */
  readonly #ids: readonly number[];
  readonly #bytes: readonly Uint8Array[];
  /** Bytes that each token shares with the one before it. */
  readonly #shared: readonly number[];

  /** `bytes` are those of each token by id; `vocabSize` is the model's, which may have more. */
  constructor(bytes: readonly Uint8Array[], vocabSize: number) {
    this.#vocabSize = vocabSize;
    const ids = bytes.flatMap(({ length }, id) => (length > 0 ? [id] : []));
    this.#ids = ids.sort((a, b) => compareBytes(bytes[a]!, bytes[b]!));
    this.#bytes = this.#ids.map((id) => bytes[id]!);
    this.#shared = this.#bytes.map((each, index) => countShared(each, this.#bytes[index - 1]));
  }

  /** The first token in order whose bytes begin so. */
  tokenThatBegins(byte: number): number | undefined {
    return this.#ids[this.#bytes.findIndex(([first]) => first === byte)];
  }

  /**
   * The tokens by which a text may go on, a bit each; undefined where finding them takes too much.
   * That depends on the grammar, the text and the vocabulary alone, not on what is remembered.
   */
  allowed(machine: Machine, start: MachineState): Uint8Array | undefined {
    const { classes } = machine;
    const walk = machine.beginWalk();
    const mask = new Uint8Array(Math.ceil(this.#vocabSize / 8));
    const path: MachineState[] = [start]; // after each byte of the token, as far as it is alive
    let alive = 0;
    let work = start.cost;
    if (work > MAX_WORK) return undefined;
    for (const [index, bytes] of this.#bytes.entries()) {
      const shared = this.#shared[index]!;
      if (shared > alive) continue; // it dies where the one before died
      for (alive = shared; alive < bytes.length; alive++) {
        const next = machine.step(path[alive]!, classes[bytes[alive]!]!);
        if (next === null) break;
        if (next.walk !== walk) work += next.cost;
        next.walk = walk;
        if (work > MAX_WORK) return undefined;
        path[alive + 1] = next;
      }
      const id = this.#ids[index]!;
      if (alive === bytes.length) mask[id >> 3]! |= 1 << (id & 7);
    }
    return mask;
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function countShared(a: Uint8Array, b: Uint8Array | undefined): number {
  if (b === undefined) return 0;
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
