import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hfTensorName } from '../../services/checkpoint/hf-names.ts';
import { listTensors, tensorShape } from '../../services/checkpoint/tensor-table.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import { parseHfConfig } from '../../services/core/model/hf-config.ts';
import type { FloatDtype } from '../../services/core/support/float-decoding.ts';
import { encodeFloats } from './float-encoding.ts';

/** A tensor as it goes into a safetensors file; `dtype` and `shape` may be wrong on purpose. */
export interface TensorFile {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface HfCheckpointOptions {
  /** Fields of config.json that differ from the tiny default model. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  readonly dtype?: FloatDtype;
  /** Factors of F8 weights: none, one for each tensor, or one for each row. */
  readonly scales?: 'none' | 'tensor' | 'row';
  /** Two shards come with an index. */
  readonly shards?: 1 | 2;
  /** Changes the tensors before they are written. */
  readonly edit?: (tensors: TensorFile[]) => TensorFile[];
}

/** A random Llama of a few kilobytes: TP 8 works with it, and the LM head is a tensor of its own. */
export const TINY_CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 4,
  vocab_size: 64,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  eos_token_id: 1,
} as const;

/** Writes a random checkpoint; equal options write equal bytes. Returns the architecture that it has. */
export function writeHfCheckpoint(
  directory: string,
  options: HfCheckpointOptions = {},
): ModelConfig {
  const fields = { ...TINY_CONFIG, ...options.config };
  const config = parseHfConfig(fields);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'config.json'), JSON.stringify(fields));
  const random = makeRandom(options.seed ?? 1);
  const tensors = listTensors(config).flatMap((tensor) => {
    const [rows, columns] = tensorShape(config, tensor.kind);
    return makeTensors({ name: hfTensorName(tensor), rows, columns, random }, options);
  });
  writeShards(directory, options.edit?.(tensors) ?? tensors, options.shards ?? 1);
  return config;
}

/** Writes a safetensors file. */
export function writeSafetensors(path: string, tensors: readonly TensorFile[]): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  writeSafetensorsParts(
    path,
    JSON.stringify(header),
    tensors.map(({ bytes }) => bytes),
  );
}

/** Writes a safetensors file with a header as given, valid or not. */
export function writeSafetensorsParts(
  path: string,
  header: string,
  data: readonly Uint8Array[],
): void {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  writeFileSync(path, Buffer.concat([length, text, ...data]));
}

/** Writes a random llama2.c file; a negative vocabulary size leaves the classifier untied. */
export function writeLlama2cCheckpoint(
  path: string,
  options: { readonly header?: readonly number[]; readonly seed?: number } = {},
): void {
  const header = options.header ?? [16, 24, 2, 4, 2, 32, 16];
  const [dim, hiddenDim, layers, heads, kvHeads, vocab, positions] = header as number[];
  const headDim = dim! / heads!;
  const perLayer =
    2 * dim! + 2 * dim! * dim! + 2 * dim! * kvHeads! * headDim + 3 * dim! * hiddenDim!;
  const tables = Math.abs(vocab!) * dim! * (vocab! < 0 ? 2 : 1);
  const count = tables + layers! * perLayer + dim! + positions! * headDim;
  const random = makeRandom(options.seed ?? 1);
  const values = Float32Array.from({ length: count }, () => random() - 0.5);
  writeFileSync(
    path,
    Buffer.concat([new Uint8Array(Int32Array.from(header).buffer), new Uint8Array(values.buffer)]),
  );
}

function makeTensors(
  place: { name: string; rows: number; columns: number; random: () => number },
  { dtype = 'F32', scales = 'none' }: HfCheckpointOptions,
): TensorFile[] {
  const { name, rows, columns, random } = place;
  const isNorm = rows === 1;
  const spread = isNorm ? 0.2 : 2 * Math.sqrt(3 / columns);
  const values = Float32Array.from(
    { length: rows * columns },
    () => (isNorm ? 1 : 0) + (random() - 0.5) * spread,
  );
  const stored = isNorm && dtype === 'F8_E4M3' ? 'BF16' : dtype;
  const shape = isNorm ? [columns] : [rows, columns];
  const bytes = encodeFloats(stored, values);
  const weights: TensorFile = { name, dtype: stored, shape, bytes };
  if (stored !== 'F8_E4M3' || scales === 'none') return [weights];
  const factors = Float32Array.from({ length: scales === 'row' ? rows : 1 }, () => 0.5 + random());
  const scaleShape = scales === 'row' ? [rows, 1] : [];
  const scale = { name: `${name}_scale`, dtype: 'F32', shape: scaleShape };
  return [weights, { ...scale, bytes: encodeFloats('F32', factors) }];
}

function writeShards(directory: string, tensors: readonly TensorFile[], shards: 1 | 2): void {
  if (shards === 1) {
    writeSafetensors(join(directory, 'model.safetensors'), tensors);
    return;
  }
  const middle = Math.ceil(tensors.length / 2);
  const weightMap: Record<string, string> = {};
  [tensors.slice(0, middle), tensors.slice(middle)].forEach((part, index) => {
    const name = `model-0000${index + 1}-of-00002.safetensors`;
    writeSafetensors(join(directory, name), part);
    for (const tensor of part) weightMap[tensor.name] = name;
  });
  const indexPath = join(directory, 'model.safetensors.index.json');
  writeFileSync(indexPath, JSON.stringify({ metadata: {}, weight_map: weightMap }));
}

/** Uniform numbers in [0, 1) by the mulberry32 generator. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
