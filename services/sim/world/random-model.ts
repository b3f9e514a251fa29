import type { ModelConfig } from '../../core/model/config.ts';
import type { TensorId, TensorSlice, TensorSource } from '../../core/model/tensors.ts';

/** A model of a few kilobytes: every degree works with it, and nothing in it is even. */
export const TINY_MODEL: ModelConfig = {
  hiddenSize: 20,
  intermediateSize: 24,
  layers: 2,
  heads: 8,
  kvHeads: 4,
  headDim: 4,
  vocabSize: 44,
  maxPositions: 64,
  normEpsilon: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: undefined,
  tiedEmbeddings: false,
  stopTokenIds: [1],
  reductionLeaves: 8,
};

/** Weights that are functions of where they stand: no file is read, and equal seeds are equal. */
export class RandomModel implements TensorSource {
  readonly #seed: number;
  readonly #spread: number;

  constructor(config: ModelConfig, seed: number) {
    this.#seed = seed;
    this.#spread = 2 * Math.sqrt(3 / config.hiddenSize);
  }

  read(tensor: TensorId, slice: TensorSlice): Float32Array {
    const { rowStart, rowEnd, columnStart, columnEnd } = slice;
    const isNorm = tensor.kind.endsWith('Norm');
    const base = this.#baseOf(tensor);
    const values = new Float32Array((rowEnd - rowStart) * (columnEnd - columnStart));
    let index = 0;
    for (let row = rowStart; row < rowEnd; row++) {
      for (let column = columnStart; column < columnEnd; column++) {
        const centred = mix(base ^ mix(row * 65_537 + column)) / 2 ** 32 - 0.5;
        values[index++] = isNorm ? 1 + 0.2 * centred : this.#spread * centred;
      }
    }
    return values;
  }

  #baseOf(tensor: TensorId): number {
    let hash = this.#seed;
    for (let i = 0; i < tensor.kind.length; i++) hash = mix(hash ^ tensor.kind.charCodeAt(i));
    return 'layer' in tensor ? mix(hash ^ (tensor.layer + 1)) : hash;
  }
}

/** Murmur3's finaliser: every bit of the result depends on every bit of the word. */
function mix(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
