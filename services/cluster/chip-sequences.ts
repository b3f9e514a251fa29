import type { Range } from '../core/model/shard-plan.ts';
import { countsTokens } from '../core/sampling/params.ts';
import { TokenCounts } from '../core/sampling/token-counts.ts';
import { assert } from '../core/support/errors.ts';
import type { SequenceAdmission, StepCommand } from './messages.ts';

/** What a chip keeps of a sequence between steps. */
export interface ChipSequence {
  readonly admission: Omit<SequenceAdmission, 'history'>;
  /** The block table so far. */
  readonly blocks: number[];
  /** Absolute position of the next token to compute. */
  position: number;
  /** The chip's own tokens among the sequence's; undefined where nothing is penalised. */
  readonly counts: TokenCounts | undefined;
}

/** The sequences that a chip knows. */
export class ChipSequences {
  readonly #tokens: Range | undefined;
  readonly #sequences = new Map<number, ChipSequence>();

  /** `tokens` are those of the chip's part of the vocabulary; undefined where none are counted. */
  constructor(tokens: Range | undefined) {
    this.#tokens = tokens;
  }

  /** Forgets what a command releases, and takes in what it admits and computes. */
  update(command: StepCommand): void {
    for (const id of command.released) this.#sequences.delete(id);
    for (const { id, admission, blocks, start, count, tokens } of command.sequences) {
      if (admission !== undefined) this.#sequences.set(id, this.#admitted(admission));
      const sequence = this.get(id);
      for (const block of blocks) sequence.blocks.push(block);
      sequence.counts?.add(tokens, start);
      sequence.position = start + count;
    }
  }

  get(id: number): ChipSequence {
    const sequence = this.#sequences.get(id);
    assert(sequence !== undefined, `sequence ${id} was admitted`);
    return sequence;
  }

  /** Undefined for one that is not known. */
  find(id: number): ChipSequence | undefined {
    return this.#sequences.get(id);
  }

  clear(): void {
    this.#sequences.clear();
  }

  #admitted({ history, ...admission }: SequenceAdmission): ChipSequence {
    return { admission, blocks: [], position: 0, counts: this.#count(admission, history) };
  }

  #count(
    { sampling, promptLength }: Omit<SequenceAdmission, 'history'>,
    history: readonly number[],
  ): TokenCounts | undefined {
    if (this.#tokens === undefined || !countsTokens(sampling)) return undefined;
    const counts = new TokenCounts(this.#tokens, promptLength);
    counts.add(history, 0);
    return counts;
  }
}
