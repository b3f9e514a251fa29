import { parseHfConfig } from '../model/hf-config.ts';
import { ModelError } from '../support/errors.ts';
import { describeValue, type Fields, isFields, readInteger } from '../support/fields.ts';
import type {
  Architecture,
  Attention,
  DenseFeedForward,
  ExpertFeedForward,
  LayerGroup,
} from './architecture.ts';
import { architectureOf } from './from-model-config.ts';

const MAX_SIZE = 2 ** 24;
const MAX_LAYERS = 2 ** 16;
const MAX_POSITIONS = 2 ** 30;

/** Where an architecture came from, for reports. */
export interface ArchitectureOrigin {
  readonly name: string;
  readonly source: string;
}

type Reader = (json: Fields) => readonly LayerGroup[];

/** Readers by `model_type`. Llama is read as the executable model is, and converted. */
const READERS: Readonly<Record<string, Reader>> = {
  mistral: readDenseGroups,
  qwen2: readDenseGroups,
  qwen3: readDenseGroups,
  mixtral: readMixtralGroups,
  qwen3_moe: readQwenMoeGroups,
  deepseek_v3: readDeepseekGroups,
  gpt2: readGptGroups,
  diffusion_transformer: readDiffusionGroups,
};

/** Model types whose config.json can be priced. */
export const PRICED_MODEL_TYPES: readonly string[] = ['llama', ...Object.keys(READERS)];

/**
 * Reads the config.json of any family that can be priced; a ModelError names the field that it
 * refuses.
 */
export function parseArchitecture(json: unknown, origin: ArchitectureOrigin): Architecture {
  if (!isFields(json)) {
    throw new ModelError(`the config must be a JSON object, not ${describeValue(json)}`);
  }
  const type = json.model_type;
  if (type === 'llama') return architectureOf(parseHfConfig(json), origin);
  const reader = typeof type === 'string' ? READERS[type] : undefined;
  if (reader === undefined) {
    throw new ModelError(
      `model_type must be one of ${PRICED_MODEL_TYPES.join(', ')}, not ${describeValue(type)}`,
    );
  }
  return {
    ...origin,
    hiddenSize: size(json, type === 'gpt2' ? 'n_embd' : 'hidden_size'),
    vocabSize: type === 'diffusion_transformer' ? 0 : size(json, 'vocab_size'),
    tiedEmbeddings: type === 'gpt2' || json.tie_word_embeddings === true,
    maxPositions: readInteger(json, type === 'gpt2' ? 'n_positions' : 'max_position_embeddings', {
      max: MAX_POSITIONS,
    }),
    groups: reader(json),
    diffusion: type === 'diffusion_transformer' ? readDiffusion(json) : undefined,
  };
}

function readDenseGroups(json: Fields): readonly LayerGroup[] {
  return [group(json, layers(json), readDense(json))];
}

function readMixtralGroups(json: Fields): readonly LayerGroup[] {
  const feedForward = readExperts(json, {
    experts: 'num_local_experts',
    size: 'intermediate_size',
    shared: 0,
  });
  return [group(json, layers(json), feedForward)];
}

function readQwenMoeGroups(json: Fields): readonly LayerGroup[] {
  const names = { experts: 'num_experts', size: 'moe_intermediate_size', shared: 0 };
  return [group(json, layers(json), readExperts(json, names))];
}

function readDeepseekGroups(json: Fields): readonly LayerGroup[] {
  const dense = readInteger(json, 'first_k_dense_replace', { max: layers(json) - 1 });
  const feedForward = readExperts(json, {
    experts: 'n_routed_experts',
    size: 'moe_intermediate_size',
    shared: size(json, 'n_shared_experts'),
  });
  return [
    group(json, dense, readDense(json), readLatent(json)),
    group(json, layers(json) - dense, feedForward, readLatent(json)),
  ];
}

function readGptGroups(json: Fields): readonly LayerGroup[] {
  const hidden = size(json, 'n_embd');
  const heads = size(json, 'n_head');
  const headDim = hidden / heads;
  return [
    {
      layers: readInteger(json, 'n_layer', { max: MAX_LAYERS }),
      crossTokens: 0,
      attention: { kind: 'grouped', heads, kvHeads: heads, headDim },
      feedForward: {
        kind: 'dense',
        intermediateSize: readInteger(json, 'n_inner', { max: MAX_SIZE, fallback: 4 * hidden }),
        gated: false,
      },
    },
  ];
}

function readDiffusionGroups(json: Fields): readonly LayerGroup[] {
  const feedForward: DenseFeedForward = { ...readDense(json), gated: false };
  return [
    { ...group(json, layers(json), feedForward), crossTokens: size(json, 'conditioning_tokens') },
  ];
}

function readDiffusion(json: Fields): Architecture['diffusion'] {
  return {
    sampleTokens: size(json, 'sample_tokens'),
    denoisingSteps: size(json, 'denoising_steps'),
    passesPerStep: size(json, 'passes_per_step'),
  };
}

function group(
  json: Fields,
  count: number,
  feedForward: LayerGroup['feedForward'],
  attention: Attention = readGrouped(json),
): LayerGroup {
  return { layers: count, crossTokens: 0, attention, feedForward };
}

function readGrouped(json: Fields): Attention {
  const heads = size(json, 'num_attention_heads');
  const kvHeads = readInteger(json, 'num_key_value_heads', { max: heads, fallback: heads });
  const fallback = size(json, 'hidden_size') / heads;
  const headDim = readInteger(json, 'head_dim', { max: MAX_SIZE, fallback });
  return { kind: 'grouped', heads, kvHeads, headDim };
}

function readLatent(json: Fields): Attention {
  return {
    kind: 'latent',
    heads: size(json, 'num_attention_heads'),
    queryRank: size(json, 'q_lora_rank'),
    kvRank: size(json, 'kv_lora_rank'),
    nopeDim: size(json, 'qk_nope_head_dim'),
    ropeDim: size(json, 'qk_rope_head_dim'),
    valueDim: size(json, 'v_head_dim'),
  };
}

function readDense(json: Fields): DenseFeedForward {
  return { kind: 'dense', intermediateSize: size(json, 'intermediate_size'), gated: true };
}

function readExperts(
  json: Fields,
  names: { readonly experts: string; readonly size: string; readonly shared: number },
): ExpertFeedForward {
  const experts = size(json, names.experts);
  const expertSize = size(json, names.size);
  return {
    kind: 'experts',
    experts,
    active: readInteger(json, 'num_experts_per_tok', { max: experts }),
    expertSize,
    sharedSize: names.shared * expertSize,
    gated: true,
  };
}

function layers(json: Fields): number {
  return readInteger(json, 'num_hidden_layers', { max: MAX_LAYERS });
}

function size(json: Fields, field: string): number {
  return readInteger(json, field, { max: MAX_SIZE });
}
