import type { Chip } from '../../../cluster/chip.ts';
import type { SegmentWork } from '../../../cluster/chip-effects.ts';
import type { Command, StepCommand } from '../../../cluster/messages.ts';
import { digestFloats } from '../../../core/support/digest.ts';
import type { Shard } from '../../../shard/shard.ts';
import { hashPrefix } from '../prefix-hash.ts';
import { type Invariant, require } from './invariant.ts';

/** What is known of the activations of a step in the middle of which the chips are. */
interface StepDigests {
  readonly command: StepCommand;
  /** By segment and layer. */
  readonly digests: Map<string, number>;
}

export interface EqualActivationsOptions {
  /** The digest of the last activations of a token, by the hash of it and those before it. */
  readonly expected: ReadonlyMap<number, number>;
  /** The tokens of a sequence that the running coordinator has queued. */
  readonly tokensOf: (id: number) => readonly number[];
}

/**
 * I8: all chips of a group run the same steps and hold equal bits after every all-reduce. Beyond
 * that, what a token's activations are depends on the tokens before it alone, not on the degree,
 * the batch, or what went wrong before.
 */
export class EqualActivations implements Invariant {
  readonly #options: EqualActivationsOptions;
  #current: StepDigests | undefined;
  #rows: readonly number[] = [];

  constructor(options: EqualActivationsOptions) {
    this.#options = options;
  }

  readonly commanded = (command: Command): void => {
    if (command.kind !== 'step') return;
    this.#current = { command, digests: new Map() };
    this.#rows = command.sequences.flatMap(({ id, start, tokens }) =>
      this.#hashesOf(id, start, start + tokens.length),
    );
  };

  readonly computing = (work: SegmentWork, chip: Chip, shard: Shard): void => {
    const { segment, layer } = work;
    if (segment === 'attention') return; // nothing was exchanged since the segment before
    const { command } = chip;
    const current = this.#current;
    if (command === undefined || current === undefined) return;
    // A chip may still be in a step that was given up.
    const { epoch, step } = current.command;
    if (command.epoch !== epoch || command.step !== step) return;
    const rows = this.#rows.length * shard.hiddenStride;
    const digest = digestFloats(shard.hidden.subarray(0, rows));
    const known = current.digests.get(`${segment} ${layer}`) ?? digest;
    const place = (): string => `before ${segment} of layer ${layer} in step ${epoch}.${step}`;
    require('I8', digest === known, () => `the activations differ ${place()}`);
    const isFirst = !current.digests.has(`${segment} ${layer}`);
    current.digests.set(`${segment} ${layer}`, digest);
    if (segment === 'head' && isFirst) this.#checkRows(shard, place);
  };

  #checkRows(shard: Shard, place: () => string): void {
    const { expected } = this.#options;
    const { hiddenSize } = shard.layout.plan.config;
    for (const [row, prefix] of this.#rows.entries()) {
      const digest = digestFloats(shard.row(row).subarray(0, hiddenSize));
      require('I8', digest === expected.get(prefix), () =>
        `row ${row} is not that of an undisturbed run ${place()}`);
    }
  }

  #hashesOf(id: number, start: number, end: number): number[] {
    let hash = 0;
    return this.#options
      .tokensOf(id)
      .slice(0, end)
      .map((token) => {
        hash = hashPrefix(hash, token);
        return hash;
      })
      .slice(start);
  }
}
