import { type Range, rangeSize } from '../core/model/shard-plan.ts';
import type { LayerTensor, ModelTensor, TensorId, TensorSource } from '../core/model/tensors.ts';
import { bf16Bits, roundToBf16 } from '../core/support/rounding.ts';
import { packPanels } from '../kernels/packing.ts';
import type { LayerLayout, MatrixLayout, ShardLayout } from './layout.ts';
import { fillRopeTable } from './rope-table.ts';
import { quantizeChannels } from './weight-rounding.ts';

/**
 * Fills a chip's memory with its slices of the model, a layer at a call, so that the caller can
 * report progress and stay responsive between calls.
 */
export class ShardLoader {
  readonly #layout: ShardLayout;
  readonly #memory: ArrayBufferLike;
  readonly #source: TensorSource;
  #layer = 0;

  constructor(layout: ShardLayout, memory: ArrayBufferLike, source: TensorSource) {
    this.#layout = layout;
    this.#memory = memory;
    this.#source = source;
  }

  /** Number of `loadNext` calls that a whole shard takes. */
  get total(): number {
    return this.#layout.layers.length + 1;
  }

  get loaded(): number {
    return this.#layer;
  }

  /** Loads the next layer, or after the last one what belongs to no layer. */
  loadNext(): void {
    const layer = this.#layout.layers[this.#layer];
    if (layer !== undefined) this.#loadLayer(layer, this.#layer);
    else this.#loadEnds();
    this.#layer++;
  }

  #loadLayer(layout: LayerLayout, layer: number): void {
    this.#loadNorm({ kind: 'attentionNorm', layer }, layout.attentionNorm);
    this.#loadNorm({ kind: 'mlpNorm', layer }, layout.mlpNorm);
    this.#loadQkv(layout.qkv, layer);
    this.#loadGateUp(layout.gateUp, layer);
    const { plan } = this.#layout;
    plan.leaves.forEach((leaf, index) => {
      const { headDim } = plan.config;
      const heads = { start: leaf.queryHeads.start * headDim, end: leaf.queryHeads.end * headDim };
      this.#loadLeaf('attentionOutput', layer, heads, layout.attentionOutput[index]!.matrix);
      this.#loadLeaf('down', layer, leaf.channels, layout.down[index]!.matrix);
    });
  }

  #loadEnds(): void {
    const { plan, lmHead, finalNorm, strides, buffers } = this.#layout;
    this.#loadNorm({ kind: 'finalNorm' }, finalNorm);
    const head = new Float32Array(strides.vocab * plan.config.hiddenSize);
    head.set(
      this.#rows({ kind: plan.config.tiedEmbeddings ? 'embedding' : 'lmHead' }, plan.tokens),
    );
    this.#pack(lmHead, head);
    this.#loadEmbedding(plan.tokens);
    const count = (plan.config.maxPositions * plan.config.headDim) / 2;
    fillRopeTable(plan.config, {
      cos: new Float32Array(this.#memory, this.#layout.cos, count),
      sin: new Float32Array(this.#memory, this.#layout.sin, count),
    });
    new Int32Array(this.#memory, buffers.headMap, plan.headMap.length).set(plan.headMap);
  }

  #loadEmbedding(tokens: Range): void {
    const { embedding, options } = this.#layout;
    const rows = this.#rows({ kind: 'embedding' }, tokens);
    if (options.precision === 'f32') {
      new Float32Array(this.#memory, embedding, rows.length).set(rows);
      return;
    }
    const target = new Uint16Array(this.#memory, embedding, rows.length);
    for (let i = 0; i < rows.length; i++) target[i] = bf16Bits(roundToBf16(rows[i]!));
  }

  #loadNorm(tensor: TensorId, address: number): void {
    const { hiddenSize } = this.#layout.plan.config;
    const weights = this.#source.read(tensor, {
      rowStart: 0,
      rowEnd: 1,
      columnStart: 0,
      columnEnd: hiddenSize,
    });
    const rounded = this.#layout.options.precision === 'f32' ? weights : weights.map(roundToBf16);
    new Float32Array(this.#memory, address, hiddenSize).set(rounded);
  }

  #loadQkv(matrix: MatrixLayout, layer: number): void {
    const { queryHeads, kvHeads, config } = this.#layout.plan;
    const scaled = (heads: Range): Range => ({
      start: heads.start * config.headDim,
      end: heads.end * config.headDim,
    });
    const target = new Float32Array(matrix.columns * matrix.inner); // [columns, hidden]
    let row = 0;
    for (const [kind, heads] of [
      ['query', queryHeads],
      ['key', kvHeads],
      ['value', kvHeads],
    ] as const) {
      target.set(this.#rows({ kind, layer }, scaled(heads)), row * matrix.inner);
      row += rangeSize(scaled(heads));
    }
    this.#packLinear(matrix, target);
  }

  #loadGateUp(matrix: MatrixLayout, layer: number): void {
    const { plan, strides } = this.#layout;
    const target = new Float32Array(matrix.columns * matrix.inner); // [columns, hidden]
    plan.leaves.forEach(({ channels }, index) => {
      const row = index * strides.leafChannels;
      target.set(this.#rows({ kind: 'gate', layer }, channels), row * matrix.inner);
      target.set(
        this.#rows({ kind: 'up', layer }, channels),
        (strides.activated + row) * matrix.inner,
      );
    });
    this.#packLinear(matrix, target);
  }

  #loadLeaf(
    kind: 'attentionOutput' | 'down',
    layer: number,
    inputs: Range,
    matrix: MatrixLayout,
  ): void {
    const { hiddenSize } = this.#layout.plan.config;
    const target = new Float32Array(matrix.columns * matrix.inner); // [columns, inner]
    if (rangeSize(inputs) > 0) {
      target.set(
        this.#source.read(
          { kind, layer },
          {
            rowStart: 0,
            rowEnd: hiddenSize,
            columnStart: inputs.start,
            columnEnd: inputs.end,
          },
        ),
      );
    }
    this.#packLinear(matrix, target);
  }

  #rows(
    tensor: { kind: LayerTensor; layer: number } | { kind: ModelTensor },
    rows: Range,
  ): Float32Array {
    if (rangeSize(rows) === 0) return new Float32Array(0);
    const columnEnd = this.#layout.plan.config.hiddenSize;
    return this.#source.read(tensor, {
      rowStart: rows.start,
      rowEnd: rows.end,
      columnStart: 0,
      columnEnd,
    });
  }

  /** Packs a linear layer's weights, rounded to the precision of the shard. */
  #packLinear(matrix: MatrixLayout, source: Float32Array): void {
    if (this.#layout.options.precision !== 'fp8') {
      this.#pack(matrix, source);
      return;
    }
    const scales = new Float32Array(this.#memory, matrix.columnScales, matrix.columns);
    quantizeChannels(source, matrix.inner, scales);
    this.#writePanels(matrix, source);
  }

  #pack(matrix: MatrixLayout, source: Float32Array): void {
    this.#writePanels(matrix, matrix.format === 'f32' ? source : source.map(roundToBf16));
  }

  #writePanels(matrix: MatrixLayout, source: Float32Array): void {
    packPanels({ ...matrix, source, target: this.#memory, address: matrix.weights });
  }
}
