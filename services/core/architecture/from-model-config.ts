import type { ModelConfig } from '../model/config.ts';
import type { Architecture } from './architecture.ts';

/** The sizes of an executable model, in the terms that pricing uses for every family. */
export function architectureOf(
  config: ModelConfig,
  { name, source }: { readonly name: string; readonly source: string },
): Architecture {
  return {
    name,
    source,
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    tiedEmbeddings: config.tiedEmbeddings,
    maxPositions: config.maxPositions,
    diffusion: undefined,
    groups: [
      {
        layers: config.layers,
        crossTokens: 0,
        attention: {
          kind: 'grouped',
          heads: config.heads,
          kvHeads: config.kvHeads,
          headDim: config.headDim,
        },
        feedForward: {
          kind: 'dense',
          intermediateSize: config.intermediateSize,
          gated: true,
        },
      },
    ],
  };
}
