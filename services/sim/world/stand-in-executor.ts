import { type Range, rangeSize } from '../../core/model/shard-plan.ts';
import type { SegmentKind } from '../../core/model/step-plan.ts';
import type { Shard } from '../../shard/shard.ts';
import type { SegmentExecutor } from './shard-source.ts';

/**
 * Does no arithmetic, but fills in what a chip would send: partial sums that are small whole
 * numbers, so that every degree adds them to the same, and logits that follow from the activations
 * and the position. Tokens are then functions of the token before them and its position.
 */
export class StandInExecutor implements SegmentExecutor {
  readonly #shard: Shard;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  run(segment: SegmentKind, layer: number, rows: Range): void {
    if (segment === 'attention' || segment === 'mlp') this.#fillPartial(segment, layer, rows);
    if (segment === 'head') this.#fillLogits(rows);
  }

  #fillPartial(segment: 'attention' | 'mlp', layer: number, rows: Range): void {
    const { layout, hiddenStride } = this.#shard;
    const partial = this.#shard.partialOf(segment);
    const positions = this.#integers(layout.buffers.positions, rows.end);
    for (let row = rows.start; row < rows.end; row++) {
      const value = ((positions[row]! + layer) % 7) * layout.plan.leaves.length;
      // Columns that pad a row stay zero, as they do where there is arithmetic.
      const start = row * hiddenStride;
      partial.fill(value, start, start + layout.plan.config.hiddenSize);
    }
  }

  #fillLogits(samples: Range): void {
    const { layout } = this.#shard;
    const { tokens } = layout.plan;
    const positions = this.#integers(layout.buffers.positions, layout.options.maxRows);
    const headRows = this.#integers(layout.buffers.headRows, samples.end);
    for (let sample = samples.start; sample < samples.end; sample++) {
      const row = headRows[sample]!;
      const seed = Math.fround(this.#shard.row(row)[0]! + positions[row]!);
      const logits = this.#shard.logitsOf(sample);
      for (let token = 0; token < rangeSize(tokens); token++) {
        logits[token] = 4 * Math.abs((seed * (tokens.start + token + 1) * 12.9898) % 1);
      }
    }
  }

  #integers(address: number, count: number): Int32Array {
    return new Int32Array(this.#shard.memory, address, count);
  }
}
