import fc from 'fast-check';
import type { ModelConfig } from '../../services/core/model/config.ts';

/** A small architecture that differs from the usual in `fields`. */
export function makeConfig(fields: Partial<ModelConfig> = {}): ModelConfig {
  return {
    hiddenSize: 32,
    intermediateSize: 48,
    layers: 2,
    heads: 8,
    kvHeads: 4,
    headDim: 4,
    vocabSize: 64,
    maxPositions: 128,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: undefined,
    tiedEmbeddings: false,
    stopTokenIds: [],
    reductionLeaves: 8,
    ...fields,
  };
}

/** Architectures of any proportions; KV heads divide the heads. */
export const arbitraryConfig: fc.Arbitrary<ModelConfig> = fc
  .record({
    kvHeads: fc.integer({ min: 1, max: 20 }),
    group: fc.integer({ min: 1, max: 9 }),
    headDim: fc.constantFrom(4, 16, 64),
    hiddenSize: fc.integer({ min: 1, max: 600 }),
    intermediateSize: fc.integer({ min: 1, max: 900 }),
    vocabSize: fc.integer({ min: 1, max: 5000 }),
    layers: fc.integer({ min: 1, max: 4 }),
    tiedEmbeddings: fc.boolean(),
    reductionLeaves: fc.constantFrom(8, 8, 16, 64),
  })
  .map(({ group, ...fields }) => makeConfig({ ...fields, heads: group * fields.kvHeads }));
