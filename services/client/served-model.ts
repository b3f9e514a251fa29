import type { ServerInfo } from '../rpc/inference-types.ts';

/** A model as its clients see it. */
export interface ServedModel {
  readonly name: string;
  /** Arithmetic of the linear layers: `f32`, `bf16` or `fp8`. */
  readonly precision: string;
  /** Most tokens of a prompt and its continuation together. */
  readonly maxContextLength: number;
  /** Number of token ids. */
  readonly vocabSize: number;
  /** Token ids that end a generation. */
  readonly eosTokenIds: readonly number[];
}

/** What a server says of its model, without what it says of itself. */
export function servedModel(info: ServerInfo): ServedModel {
  const { modelName: name, precision, maxContextLength, vocabSize, eosTokenIds } = info;
  return { name, precision, maxContextLength, vocabSize, eosTokenIds };
}
