import { tensorShape } from '../../services/checkpoint/tensor-table.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import type { TensorId, TensorSource } from '../../services/core/model/tensors.ts';

/** A matrix in f64, [rows, columns]. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Keys and values of one layer, a vector a position: [position][kvHeads × headDim]. */
interface LayerCache {
  readonly keys: Float64Array[];
  readonly values: Float64Array[];
}

/**
 * A Llama as the paper's formulas have it, in f64, one token at a time: no leaves, pages, batches or kernels, and
 * nothing shared with the code that it is compared with.
 */
export class NaiveLlama {
  readonly #config: ModelConfig;
  readonly #source: TensorSource;
  readonly #matrices = new Map<string, Matrix>();

  constructor(config: ModelConfig, source: TensorSource) {
    this.#config = config;
    this.#source = source;
  }

  /** The logits after every token, [tokens][vocab]. */
  logits(tokens: readonly number[]): Float64Array[] {
    const { layers } = this.#config;
    const caches = Array.from({ length: layers }, (): LayerCache => ({ keys: [], values: [] }));
    return tokens.map((token, position) => this.#step(token, position, caches));
  }

  #step(token: number, position: number, caches: readonly LayerCache[]): Float64Array {
    const { hiddenSize, tiedEmbeddings } = this.#config;
    const table = this.#matrix({ kind: 'embedding' }).values;
    let hidden: Float64Array = table.slice(token * hiddenSize, (token + 1) * hiddenSize);
    caches.forEach((cache, layer) => {
      hidden = sum(hidden, this.#attend(hidden, layer, position, cache));
      hidden = sum(hidden, this.#feedForward(hidden, layer));
    });
    const normed = this.#norm(hidden, { kind: 'finalNorm' });
    return multiply(this.#matrix({ kind: tiedEmbeddings ? 'embedding' : 'lmHead' }), normed);
  }

  #attend(hidden: Float64Array, layer: number, position: number, cache: LayerCache): Float64Array {
    const { heads, kvHeads, headDim } = this.#config;
    const normed = this.#norm(hidden, { kind: 'attentionNorm', layer });
    const query = multiply(this.#matrix({ kind: 'query', layer }), normed);
    const key = multiply(this.#matrix({ kind: 'key', layer }), normed);
    this.#rotate(query, position);
    this.#rotate(key, position);
    cache.keys.push(key);
    cache.values.push(multiply(this.#matrix({ kind: 'value', layer }), normed));
    const out = new Float64Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor(head / (heads / kvHeads)) * headDim;
      const q = query.subarray(head * headDim, (head + 1) * headDim);
      const scores = cache.keys.map(
        (k) => dot(q, k.subarray(kv, kv + headDim)) / Math.sqrt(headDim),
      );
      softmax(scores).forEach((weight, j) => {
        for (let i = 0; i < headDim; i++)
          out[head * headDim + i]! += weight * cache.values[j]![kv + i]!;
      });
    }
    return multiply(this.#matrix({ kind: 'attentionOutput', layer }), out);
  }

  #feedForward(hidden: Float64Array, layer: number): Float64Array {
    const normed = this.#norm(hidden, { kind: 'mlpNorm', layer });
    const gate = multiply(this.#matrix({ kind: 'gate', layer }), normed);
    const up = multiply(this.#matrix({ kind: 'up', layer }), normed);
    const activated = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
    return multiply(this.#matrix({ kind: 'down', layer }), activated);
  }

  #norm(x: Float64Array, weight: TensorId): Float64Array {
    const scale = 1 / Math.sqrt(dot(x, x) / x.length + this.#config.normEpsilon);
    const weights = this.#matrix(weight).values;
    return x.map((value, i) => value * scale * weights[i]!);
  }

  #rotate(x: Float64Array, position: number): void {
    const { headDim } = this.#config;
    const half = headDim / 2;
    for (let head = 0; head < x.length; head += headDim) {
      for (let pair = 0; pair < half; pair++) {
        const angle = position * this.#frequency(pair);
        const [a, b] = [x[head + pair]!, x[head + half + pair]!];
        x[head + pair] = a * Math.cos(angle) - b * Math.sin(angle);
        x[head + half + pair] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
  }

  /** With Llama 3's scaling: wavelengths above one bound are stretched, below another kept, blended between. */
  #frequency(pair: number): number {
    const { ropeTheta, headDim, ropeScaling } = this.#config;
    const frequency = ropeTheta ** ((-2 * pair) / headDim);
    if (ropeScaling === undefined) return frequency;
    const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = ropeScaling;
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > originalMaxPositions / lowFrequencyFactor) return frequency / factor;
    if (wavelength < originalMaxPositions / highFrequencyFactor) return frequency;
    const range = highFrequencyFactor - lowFrequencyFactor;
    const blend = (originalMaxPositions / wavelength - lowFrequencyFactor) / range;
    return (1 - blend) * (frequency / factor) + blend * frequency;
  }

  #matrix(tensor: TensorId): Matrix {
    const name = JSON.stringify(tensor);
    const known = this.#matrices.get(name);
    if (known !== undefined) return known;
    const [rows, columns] = tensorShape(this.#config, tensor.kind);
    const slice = { rowStart: 0, rowEnd: rows, columnStart: 0, columnEnd: columns };
    const values = Float64Array.from(this.#source.read(tensor, slice));
    this.#matrices.set(name, { rows, columns, values });
    return this.#matrix(tensor);
  }
}

function multiply({ rows, columns, values }: Matrix, x: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) =>
    dot(values.subarray(row * columns, (row + 1) * columns), x),
  );
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}
