import { assert } from '../core/support/errors.ts';
import type { SequenceAdmission, StepCommand } from './messages.ts';

/** What a chip keeps of a sequence between steps. */
export interface ChipSequence extends SequenceAdmission {
  /** The block table so far. */
  readonly blocks: number[];
}

/** The sequences that a chip knows. */
export class ChipSequences {
  readonly #sequences = new Map<number, ChipSequence>();

  /** Forgets what a command releases, and takes in what it admits. */
  update(command: StepCommand): void {
    for (const id of command.released) this.#sequences.delete(id);
    for (const { id, admission, blocks } of command.sequences) {
      if (admission !== undefined) this.#sequences.set(id, { ...admission, blocks: [...blocks] });
      else this.get(id).blocks.push(...blocks);
    }
  }

  get(id: number): ChipSequence {
    const sequence = this.#sequences.get(id);
    assert(sequence !== undefined, `sequence ${id} was admitted`);
    return sequence;
  }

  clear(): void {
    this.#sequences.clear();
  }
}
