import type { TensorId } from '../core/model/tensors.ts';

const NAMES: Readonly<Record<TensorId['kind'], string>> = {
  attentionNorm: 'input_layernorm.weight',
  query: 'self_attn.q_proj.weight',
  key: 'self_attn.k_proj.weight',
  value: 'self_attn.v_proj.weight',
  attentionOutput: 'self_attn.o_proj.weight',
  mlpNorm: 'post_attention_layernorm.weight',
  gate: 'mlp.gate_proj.weight',
  up: 'mlp.up_proj.weight',
  down: 'mlp.down_proj.weight',
  embedding: 'model.embed_tokens.weight',
  finalNorm: 'model.norm.weight',
  lmHead: 'lm_head.weight',
};

/** The name of a tensor in a Hugging Face checkpoint. */
export function hfTensorName(tensor: TensorId): string {
  const name = NAMES[tensor.kind];
  return 'layer' in tensor ? `model.layers.${tensor.layer}.${name}` : name;
}
