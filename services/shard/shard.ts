import { type Range, rangeSize } from '../core/model/shard-plan.ts';
import { assert } from '../core/support/errors.ts';
import { bf16FromBits } from '../core/support/rounding.ts';
import type { ShardLayout } from './layout.ts';

/** One sequence's rows of a step: consecutive tokens from `start`, with their KV blocks. */
export interface SequenceRows {
  readonly tokens: readonly number[];
  /** Absolute position of the first token. */
  readonly start: number;
  /** The sequence's whole block table. */
  readonly blocks: readonly number[];
  /** Whether the last row's logits are wanted. */
  readonly sample: boolean;
  /** Positions of other rows whose logits are wanted. */
  readonly logitsAt?: Range;
}

const NOWHERE: Range = { start: 0, end: 0 };

/**
 * A chip's memory, as the state machine sees it: where a step's inputs go in and its results come
 * out.
 */
export class Shard {
  readonly layout: ShardLayout;
  readonly memory: ArrayBufferLike;
  /** f32 [rows, hidden stride]: the replicated activations. */
  readonly hidden: Float32Array;
  /** f32 [samples, vocab stride]: this chip's logits. */
  readonly logits: Float32Array;
  readonly #partials: { readonly attention: Float32Array; readonly mlp: Float32Array };

  constructor(layout: ShardLayout, memory: ArrayBufferLike) {
    this.layout = layout;
    this.memory = memory;
    const { options, strides, buffers } = layout;
    const rows = options.maxRows * strides.hidden;
    this.hidden = new Float32Array(memory, buffers.hidden, rows);
    this.#partials = {
      attention: new Float32Array(memory, buffers.attentionPartial, rows),
      mlp: new Float32Array(memory, buffers.mlpPartial, rows),
    };
    this.logits = new Float32Array(memory, buffers.logits, options.maxSequences * strides.vocab);
  }

  /** Elements from one row of activations to the next. */
  get hiddenStride(): number {
    return this.layout.strides.hidden;
  }

  /** This chip's partial sums of the last such product, f32 [rows, hidden stride]. */
  partialOf(operation: 'attention' | 'mlp'): Float32Array {
    return this.#partials[operation];
  }

  /** This chip's logits of a row, [tokens of the shard]: of sampled rows first, then of the others. */
  logitsOf(index: number): Float32Array {
    const start = index * this.layout.strides.vocab;
    return this.logits.subarray(start, start + rangeSize(this.layout.plan.tokens));
  }

  /**
   * Writes the positions, KV slots and block tables of a step; returns the number of rows, of sampled
   * rows, and of all whose logits are wanted.
   */
  writeBatch(sequences: readonly SequenceRows[]): {
    rows: number;
    samples: number;
    headRows: number;
  } {
    const { buffers, options, blocksPerSequence } = this.layout;
    const view = (address: number, count: number): Int32Array =>
      new Int32Array(this.memory, address, count);
    const positions = view(buffers.positions, options.maxRows);
    const slots = view(buffers.slots, options.maxRows);
    const lengths = view(buffers.lengths, options.maxRows);
    const tables = view(buffers.tables, options.maxRows);
    let row = 0;
    const sampled: number[] = [];
    const others: number[] = [];
    sequences.forEach(({ tokens, start, blocks, sample, logitsAt = NOWHERE }, index) => {
      assert(row + tokens.length <= options.maxRows, 'a step fits its row buffers');
      assert(blocks.length <= blocksPerSequence, 'a block table fits its buffer');
      const table = buffers.tableBlocks + 4 * index * blocksPerSequence;
      view(table, blocks.length).set(blocks);
      for (let position = start; position < start + tokens.length; position++, row++) {
        const block = blocks[Math.floor(position / options.blockSize)];
        assert(block !== undefined, 'every position of a step has a KV block');
        positions[row] = position;
        slots[row] = block * options.blockSize + (position % options.blockSize);
        lengths[row] = position + 1;
        tables[row] = table;
      }
      if (sample) sampled.push(row - 1);
      const first = row - tokens.length - start;
      for (let at = logitsAt.start; at < logitsAt.end; at++) others.push(first + at);
    });
    const headRows = [...sampled, ...others];
    assert(headRows.length <= options.maxSequences, 'the wanted logits fit their buffer');
    view(buffers.headRows, headRows.length).set(headRows);
    return { rows: row, samples: sampled.length, headRows: headRows.length };
  }

  /** Writes the embedding of an own token to a row of the activations. */
  embed(token: number, row: number): void {
    const { plan, embedding, options } = this.layout;
    const { hiddenSize } = plan.config;
    const index = token - plan.tokens.start;
    assert(index >= 0 && token < plan.tokens.end, 'a chip embeds its own tokens only');
    const target = this.row(row);
    if (options.precision === 'f32') {
      target.set(new Float32Array(this.memory, embedding + 4 * index * hiddenSize, hiddenSize));
      return;
    }
    const bits = new Uint16Array(this.memory, embedding + 2 * index * hiddenSize, hiddenSize);
    for (let i = 0; i < hiddenSize; i++) target[i] = bf16FromBits(bits[i]!);
  }

  /** One row of the activations, [hidden stride]. */
  row(row: number): Float32Array {
    return this.hidden.subarray(row * this.hiddenStride, (row + 1) * this.hiddenStride);
  }
}

/** The whole of `count` rows. */
export function allRows(count: number): Range {
  return { start: 0, end: count };
}
