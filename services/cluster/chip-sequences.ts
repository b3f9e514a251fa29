import type { SamplingParams } from '../core/sampling/params.ts';
import { assert } from '../core/support/errors.ts';
import type { StepCommand } from './messages.ts';

/** What a chip keeps of a sequence between steps. */
export interface ChipSequence {
  readonly blocks: readonly number[];
  readonly sampling: SamplingParams;
}

/** The sequences that a chip knows. */
export class ChipSequences {
  readonly #sequences = new Map<number, ChipSequence>();

  /** Forgets what a command releases, and takes in what it admits. */
  update(command: StepCommand): void {
    for (const id of command.released) this.#sequences.delete(id);
    for (const { id, admission } of command.sequences) {
      if (admission !== undefined) this.#sequences.set(id, admission);
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
