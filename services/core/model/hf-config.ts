import { ModelError } from '../support/errors.ts';
import {
  describeValue,
  type Fields,
  isFields,
  readInteger,
  readNumber,
} from '../support/fields.ts';
import { DEFAULT_REDUCTION_LEAVES, type Llama3RopeScaling, type ModelConfig } from './config.ts';
import { checkArchitecture } from './hf-architecture.ts';

/**
 * Largest accepted sizes, far above any published model, so that a damaged file cannot ask for
 * absurd memory.
 */
const MAX_HIDDEN_SIZE = 2 ** 18;
const MAX_INTERMEDIATE_SIZE = 2 ** 20;
const MAX_LAYERS = 4096;
const MAX_HEADS = 2 ** 14;
const MAX_HEAD_DIM = 4096;
const MAX_VOCAB_SIZE = 2 ** 24;
const MAX_POSITIONS = 2 ** 27;

const DEFAULT_NORM_EPSILON = 1e-6;
const DEFAULT_ROPE_THETA = 10_000;
const DEFAULT_MAX_POSITIONS = 2048;

const REDUCTION_LEAVES: readonly unknown[] = [1, 2, 4, 8, 16, 32, 64];
const READABLE_QUANTIZATIONS: readonly unknown[] = ['fp8', 'fbgemm_fp8', 'compressed-tensors'];

/**
 * Reads the config.json of a Hugging Face checkpoint; throws a ModelError that names what it
 * refuses.
 */
export function parseHfConfig(json: unknown): ModelConfig {
  if (!isFields(json)) {
    throw new ModelError(`the config must be a JSON object, not ${describeValue(json)}`);
  }
  checkArchitecture(json);
  checkFixedChoices(json);
  const heads = readInteger(json, 'num_attention_heads', { max: MAX_HEADS });
  const hiddenSize = readInteger(json, 'hidden_size', { max: MAX_HIDDEN_SIZE });
  const vocabSize = readInteger(json, 'vocab_size', { max: MAX_VOCAB_SIZE });
  const config: ModelConfig = {
    hiddenSize,
    intermediateSize: readInteger(json, 'intermediate_size', { max: MAX_INTERMEDIATE_SIZE }),
    layers: readInteger(json, 'num_hidden_layers', { max: MAX_LAYERS }),
    heads,
    kvHeads: readInteger(json, 'num_key_value_heads', { max: heads, fallback: heads }),
    headDim: readHeadDim(json, hiddenSize, heads),
    vocabSize,
    maxPositions: readInteger(json, 'max_position_embeddings', {
      max: MAX_POSITIONS,
      fallback: DEFAULT_MAX_POSITIONS,
    }),
    normEpsilon: readNumber(json, 'rms_norm_eps', {
      above: 0,
      max: 1,
      fallback: DEFAULT_NORM_EPSILON,
    }),
    ...readRope(json),
    tiedEmbeddings: readChoice(json, 'tie_word_embeddings', [false, true]) === true,
    stopTokenIds: parseStopTokenIds(json, vocabSize),
    reductionLeaves: readReductionLeaves(json),
  };
  checkHeadGroups(config);
  return config;
}

/** The `eos_token_id` of a config.json or generation_config.json: one id, several, or none. */
export function parseStopTokenIds(fields: Fields, vocabSize: number): number[] {
  const value = fields.eos_token_id ?? [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  const isId = (id: unknown): id is number => Number.isInteger(id) && Number(id) >= 0;
  if (!ids.every((id): id is number => isId(id) && id < vocabSize)) {
    throw new ModelError(
      `eos_token_id must be a token id below the vocab_size ${vocabSize}, or a list of them, not ${describeValue(value)}`,
    );
  }
  return [...new Set(ids)];
}

function checkFixedChoices(json: Fields): void {
  readChoice(json, 'hidden_act', ['silu']);
  readChoice(json, 'attention_bias', [false]);
  readChoice(json, 'mlp_bias', [false]);
  readChoice(json, 'partial_rotary_factor', [1]);
  const quantization = json.quantization_config;
  if (isFields(quantization) && !READABLE_QUANTIZATIONS.includes(quantization.quant_method)) {
    throw new ModelError(
      `quantization_config.quant_method must be one of ${READABLE_QUANTIZATIONS.join(', ')}, not ${describeValue(quantization.quant_method)}`,
    );
  }
}

/** The field's value, where it is one of `choices`; the first choice where the field is absent. */
function readChoice(json: Fields, field: string, choices: readonly unknown[]): unknown {
  const value = json[field] ?? choices[0];
  if (choices.includes(value)) return value;
  throw new ModelError(
    `${field} must be ${choices.map(describeValue).join(' or ')}, not ${describeValue(value)}`,
  );
}

function readHeadDim(json: Fields, hiddenSize: number, heads: number): number {
  if ((json.head_dim ?? undefined) === undefined && hiddenSize % heads !== 0) {
    throw new ModelError(
      `hidden_size must be a multiple of the num_attention_heads ${heads} where head_dim is absent, not ${hiddenSize}`,
    );
  }
  const fallback = hiddenSize / heads;
  const headDim = readInteger(json, 'head_dim', { max: MAX_HEAD_DIM, fallback });
  if (headDim % 4 !== 0) {
    throw new ModelError(`head_dim must be a multiple of 4, not ${headDim}`);
  }
  return headDim;
}

function checkHeadGroups(config: ModelConfig): void {
  if (config.heads % config.kvHeads !== 0) {
    throw new ModelError(
      `num_key_value_heads must divide the num_attention_heads ${config.heads}, not be ${config.kvHeads}`,
    );
  }
}

function readReductionLeaves(json: Fields): number {
  const value = json.sohu_reduction_leaves ?? DEFAULT_REDUCTION_LEAVES;
  if (!REDUCTION_LEAVES.includes(value)) {
    throw new ModelError(
      `sohu_reduction_leaves must be one of ${REDUCTION_LEAVES.join(', ')}, not ${describeValue(value)}`,
    );
  }
  return Number(value);
}

/**
 * Both spellings: `rope_theta` beside `rope_scaling`, and the newer `rope_parameters` that holds
 * either.
 */
function readRope(json: Fields): Pick<ModelConfig, 'ropeTheta' | 'ropeScaling'> {
  const field =
    (json.rope_parameters ?? undefined) === undefined ? 'rope_scaling' : 'rope_parameters';
  const rope = json[field] ?? {};
  if (!isFields(rope)) {
    throw new ModelError(`${field} must be an object or null, not ${describeValue(rope)}`);
  }
  const holder = (rope.rope_theta ?? undefined) === undefined ? json : rope;
  const ropeTheta = readNumber(holder, 'rope_theta', {
    above: 0,
    max: 1e12,
    fallback: DEFAULT_ROPE_THETA,
  });
  return { ropeTheta, ropeScaling: readRopeScaling(rope, field) };
}

function readRopeScaling(rope: Fields, field: string): Llama3RopeScaling | undefined {
  const type = rope.rope_type ?? rope.type ?? 'default';
  if (type === 'default') return undefined;
  if (type !== 'llama3') {
    throw new ModelError(
      `${field}.rope_type must be "default" or "llama3", not ${describeValue(type)}`,
    );
  }
  const lowFrequencyFactor = readNumber(rope, 'low_freq_factor', { above: 0, max: 1e6 });
  const scaling = {
    factor: readNumber(rope, 'factor', { above: 0, max: 1e6 }),
    lowFrequencyFactor,
    highFrequencyFactor: readNumber(rope, 'high_freq_factor', {
      above: lowFrequencyFactor,
      max: 1e6,
    }),
    originalMaxPositions: readInteger(rope, 'original_max_position_embeddings', {
      max: MAX_POSITIONS,
    }),
  };
  return scaling;
}
