import type { Range } from '../core/model/shard-plan.ts';
import { rangeSize } from '../core/model/shard-plan.ts';
import type { SegmentKind } from '../core/model/step-plan.ts';
import type { Kernels } from '../kernels/kernels.ts';
import {
  type LayerLayout,
  type LeafLayout,
  type MatrixLayout,
  ROW_TILE,
  type ShardLayout,
} from './layout.ts';

/** f32 rows at an address, `stride` elements apart. */
interface RowBuffer {
  readonly x: number;
  readonly stride: number;
}

/**
 * Executes a step's segments on one chip's memory, for any range of rows: rows are independent, so
 * several threads may each run their own range of the same segment, with a `thread` index of their
 * own for scratch.
 */
export class ShardExecutor {
  readonly #layout: ShardLayout;
  readonly #kernels: Kernels;
  readonly #thread: number;

  constructor(layout: ShardLayout, kernels: Kernels, thread = 0) {
    this.#layout = layout;
    this.#kernels = kernels;
    this.#thread = thread;
  }

  /** Runs `rows` of a segment: rows of the step, or for `head` indices of the rows whose logits are wanted. */
  run(segment: SegmentKind, layer: number, rows: Range): void {
    if (rangeSize(rows) === 0) return;
    if (segment === 'head') {
      this.#head(rows);
      return;
    }
    const parts = this.#layout.layers[layer]!;
    if (segment === 'qkv') this.#qkv(parts, rows);
    else if (segment === 'attention') this.#attention(parts, rows);
    else this.#mlp(parts, rows);
  }

  #qkv(layer: LayerLayout, rows: Range): void {
    const { buffers, plan, strides } = this.#layout;
    const { headDim } = plan.config;
    this.#normalize(buffers.hidden, layer.attentionNorm, rows);
    this.#multiplyNormed(layer.qkv, buffers.qkv, strides.qkv, rows);
    const queryHeads = rangeSize(plan.queryHeads);
    const kvHeads = rangeSize(plan.kvHeads);
    if (queryHeads === 0) return;
    const count = rangeSize(rows);
    const x = buffers.qkv + 4 * rows.start * strides.qkv;
    this.#kernels.rope({
      rows: count,
      heads: queryHeads + kvHeads, // keys lie behind the queries and rotate alike
      headDim,
      x,
      xStride: strides.qkv,
      positions: buffers.positions + 4 * rows.start,
      cos: this.#layout.cos,
      sin: this.#layout.sin,
    });
    const k = x + 4 * queryHeads * headDim;
    this.#kernels.storeKv({
      rows: count,
      k,
      v: k + 4 * kvHeads * headDim,
      stride: strides.qkv,
      slots: buffers.slots + 4 * rows.start,
      format: this.#layout.options.kvFormat,
      ...this.#cache(layer),
    });
  }

  #attention(layer: LayerLayout, rows: Range): void {
    const { buffers, plan, strides } = this.#layout;
    if (rangeSize(plan.queryHeads) > 0) {
      this.#kernels.attention({
        rows: rangeSize(rows),
        heads: rangeSize(plan.queryHeads),
        q: buffers.qkv + 4 * rows.start * strides.qkv,
        qStride: strides.qkv,
        headMap: buffers.headMap,
        lengths: buffers.lengths + 4 * rows.start,
        tables: buffers.tables + 4 * rows.start,
        scale: Math.fround(1 / Math.sqrt(plan.config.headDim)),
        scores: this.#scratch.scores,
        out: buffers.attended + 4 * rows.start * strides.attended,
        outStride: strides.attended,
        ...this.#cache(layer),
      });
    }
    const input = { x: buffers.attended, stride: strides.attended };
    this.#multiplyLeaves(layer.attentionOutput, input, buffers.attentionPartial, rows);
  }

  #mlp(layer: LayerLayout, rows: Range): void {
    const { buffers, strides } = this.#layout;
    this.#normalize(buffers.hidden, layer.mlpNorm, rows);
    this.#multiplyNormed(layer.gateUp, buffers.gateUp, strides.gateUp, rows);
    const gate = buffers.gateUp + 4 * rows.start * strides.gateUp;
    this.#kernels.siluMultiply({
      rows: rangeSize(rows),
      n: strides.activated,
      gate,
      up: gate + 4 * strides.activated,
      stride: strides.gateUp,
      out: buffers.activated + 4 * rows.start * strides.activated,
      outStride: strides.activated,
    });
    const input = { x: buffers.activated, stride: strides.activated };
    this.#multiplyLeaves(layer.down, input, buffers.mlpPartial, rows);
  }

  #head(samples: Range): void {
    const { buffers, plan, strides, finalNorm, lmHead } = this.#layout;
    const headRows = new Int32Array(this.#kernels.memory, buffers.headRows, samples.end);
    for (let sample = samples.start; sample < samples.end; sample++) {
      this.#kernels.rmsNorm({
        rows: 1,
        n: plan.config.hiddenSize,
        x: buffers.hidden + 4 * headRows[sample]! * strides.hidden,
        xStride: strides.hidden,
        out: buffers.headInput + 4 * sample * strides.hidden,
        outStride: strides.hidden,
        weight: finalNorm,
        epsilon: plan.config.normEpsilon,
      });
    }
    const x = buffers.headInput + 4 * samples.start * strides.hidden;
    this.#roundRows(x, strides.hidden, plan.config.hiddenSize, rangeSize(samples));
    this.#matmul(lmHead, {
      rows: rangeSize(samples),
      x,
      xStride: strides.hidden,
      out: buffers.logits + 4 * samples.start * strides.vocab,
      outStride: strides.vocab,
      rowScales: 0,
    });
  }

  /** Leaves rmsNorm(hidden), in the precision of the linear layers, in the `normed` buffer. */
  #normalize(hidden: number, weight: number, rows: Range): void {
    const { buffers, plan, strides, options } = this.#layout;
    const offset = 4 * rows.start * strides.hidden;
    const out = buffers.normed + offset;
    const n = plan.config.hiddenSize;
    const shape = { rows: rangeSize(rows), n, xStride: strides.hidden, outStride: strides.hidden };
    const epsilon = plan.config.normEpsilon;
    this.#kernels.rmsNorm({ ...shape, x: hidden + offset, out, weight, epsilon });
    if (options.precision === 'fp8') {
      const scales = buffers.normedScales + 4 * rows.start;
      this.#kernels.quantizeE4M3({ ...shape, x: out, out, scales });
    } else {
      this.#roundRows(out, strides.hidden, n, rangeSize(rows));
    }
  }

  #multiplyNormed(matrix: MatrixLayout, out: number, outStride: number, rows: Range): void {
    const { buffers, strides, options } = this.#layout;
    this.#matmul(matrix, {
      rows: rangeSize(rows),
      x: buffers.normed + 4 * rows.start * strides.hidden,
      xStride: strides.hidden,
      out: out + 4 * rows.start * outStride,
      outStride,
      rowScales: options.precision === 'fp8' ? buffers.normedScales + 4 * rows.start : 0,
    });
  }

  /**
   * The row-parallel product: one partial a leaf, added in the tree into `out` ([rows, hidden
   * stride]).
   */
  #multiplyLeaves(leaves: readonly LeafLayout[], input: RowBuffer, out: number, rows: Range): void {
    const { strides, options } = this.#layout;
    this.#roundLeafInputs(leaves, input, rows);
    for (let start = rows.start; start < rows.end; start += ROW_TILE) {
      const count = Math.min(ROW_TILE, rows.end - start);
      const tile = out + 4 * start * strides.hidden;
      leaves.forEach(({ matrix, inputOffset }, leaf) => {
        this.#matmul(matrix, {
          rows: count,
          x: input.x + 4 * (start * input.stride + inputOffset),
          xStride: input.stride,
          out: leaves.length === 1 ? tile : this.#leafPartial(leaf),
          outStride: strides.hidden,
          rowScales: options.precision === 'fp8' ? this.#leafScales(leaf, start) : 0,
        });
      });
      this.#addLeaves(leaves.length, count, tile);
    }
  }

  /** Rounds the inputs of every leaf in place to the precision of the linear layers. */
  #roundLeafInputs(leaves: readonly LeafLayout[], input: RowBuffer, rows: Range): void {
    const { stride } = input;
    const count = rangeSize(rows);
    leaves.forEach(({ matrix, inputOffset }, leaf) => {
      const x = input.x + 4 * (rows.start * stride + inputOffset);
      if (this.#layout.options.precision !== 'fp8') {
        this.#roundRows(x, stride, matrix.inner, count);
        return;
      }
      const scales = this.#leafScales(leaf, rows.start);
      const n = matrix.inner;
      this.#kernels.quantizeE4M3({
        rows: count,
        n,
        x,
        xStride: stride,
        out: x,
        outStride: stride,
        scales,
      });
    });
  }

  #leafScales(leaf: number, row: number): number {
    return this.#layout.buffers.leafScales + 4 * (leaf * this.#layout.options.maxRows + row);
  }

  /** ((0+1)+(2+3))+((4+5)+(6+7)): the subtree of the reduction that this chip owns. */
  #addLeaves(leaves: number, rows: number, out: number): void {
    const count = rows * this.#layout.strides.hidden;
    for (let step = 1; step < leaves; step *= 2) {
      for (let leaf = 0; leaf < leaves; leaf += 2 * step) {
        const a = this.#leafPartial(leaf);
        const target = step * 2 === leaves ? out : a;
        this.#kernels.add({ count, a, b: this.#leafPartial(leaf + step), out: target });
      }
    }
  }

  /** Rounds rows in place to bf16, unless everything is f32. */
  #roundRows(x: number, stride: number, n: number, rows: number): void {
    if (this.#layout.options.precision === 'f32') return;
    this.#kernels.roundBf16({ rows, n, x, xStride: stride, out: x, outStride: stride });
  }

  #matmul(
    matrix: MatrixLayout,
    operands: {
      readonly rows: number;
      readonly x: number;
      readonly xStride: number;
      readonly out: number;
      readonly outStride: number;
      readonly rowScales: number;
    },
  ): void {
    // Spelled out: spreading objects costs more than a small product.
    this.#kernels.matmul({
      rows: operands.rows,
      inner: matrix.inner,
      columns: matrix.columns,
      x: operands.x,
      xStride: operands.xStride,
      weights: matrix.weights,
      format: matrix.format,
      out: operands.out,
      outStride: operands.outStride,
      rowScales: operands.rowScales,
      columnScales: matrix.columnScales,
    });
  }

  #leafPartial(leaf: number): number {
    return this.#scratch.leafPartials + 4 * leaf * ROW_TILE * this.#layout.strides.hidden;
  }

  #cache(layer: LayerLayout): {
    keys: number;
    values: number;
    kvHeads: number;
    headDim: number;
    blockSize: number;
  } {
    const { plan, options } = this.#layout;
    return {
      keys: layer.keys,
      values: layer.values,
      kvHeads: rangeSize(plan.kvHeads),
      headDim: plan.config.headDim,
      blockSize: options.blockSize,
    };
  }

  get #scratch(): { scores: number; leafPartials: number } {
    return this.#layout.scratch[this.#thread]!;
  }
}
