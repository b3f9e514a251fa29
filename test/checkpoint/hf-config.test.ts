import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseHfConfig } from '../../services/core/model/hf-config.ts';
import { ModelError } from '../../services/core/support/errors.ts';
import { TINY_CONFIG } from '../support/checkpoint-files.ts';

function parseWith(changes: Record<string, unknown>): ReturnType<typeof parseHfConfig> {
  return parseHfConfig({ ...TINY_CONFIG, ...changes });
}

function assertRefused(changes: Record<string, unknown>, ...parts: string[]): void {
  assert.throws(
    () => parseWith(changes),
    (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error));
      for (const part of parts) {
        assert.ok(error.message.includes(part), `"${error.message}" names ${part}`);
      }
      return true;
    },
  );
}

const LLAMA3 = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

test('the fields of a Llama config become the model config', () => {
  assert.deepEqual(parseHfConfig(TINY_CONFIG), {
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
    stopTokenIds: [1],
    reductionLeaves: 8,
  });
});

test('absent and null fields take the defaults of the format', () => {
  const config = parseWith({ head_dim: null, num_key_value_heads: undefined, eos_token_id: null });
  assert.equal(config.headDim, 4);
  assert.equal(config.kvHeads, 8);
  assert.deepEqual(config.stopTokenIds, []);
  assert.deepEqual(parseWith({ eos_token_id: [3, 5, 3] }).stopTokenIds, [3, 5]);
  assert.equal(parseWith({ sohu_reduction_leaves: 1 }).reductionLeaves, 1);
});

test('both spellings of rotary parameters give the same model', () => {
  const older = parseWith({ rope_theta: 5e5, rope_scaling: LLAMA3 });
  const newer = parseWith({
    rope_theta: undefined,
    rope_parameters: { rope_theta: 5e5, ...LLAMA3 },
  });
  const { rope_type: type, ...rest } = LLAMA3;
  const legacy = parseWith({ rope_theta: 5e5, rope_scaling: { type, ...rest } });
  assert.deepEqual(newer, older);
  assert.deepEqual(legacy, older);
  assert.deepEqual(older.ropeScaling, {
    factor: 8,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalMaxPositions: 8192,
  });
  const plain = parseWith({ rope_parameters: { rope_theta: 5e5, rope_type: 'default' } });
  assert.deepEqual([plain.ropeTheta, plain.ropeScaling], [5e5, undefined]);
});

test('what cannot be computed is refused by field, value and choice', () => {
  for (const type of ['linear', 'dynamic', 'yarn', 'longrope']) {
    assertRefused({ rope_scaling: { type, factor: 2 } }, 'rope_scaling.rope_type', type, 'llama3');
    assertRefused({ rope_parameters: { rope_type: type } }, 'rope_parameters.rope_type', type);
  }
  assertRefused({ rope_scaling: { ...LLAMA3, factor: undefined } }, 'factor', 'missing');
  assertRefused({ rope_scaling: { ...LLAMA3, high_freq_factor: 1 } }, 'high_freq_factor', '1');
  assertRefused({ rope_scaling: 'llama3' }, 'rope_scaling', 'object');
  assertRefused({ hidden_act: 'gelu' }, 'hidden_act', '"silu"', '"gelu"');
  assertRefused({ attention_bias: true }, 'attention_bias', 'false', 'true');
  assertRefused({ mlp_bias: true }, 'mlp_bias', 'false', 'true');
  assertRefused({ quantization_config: { quant_method: 'awq' } }, 'quant_method', 'awq');
});

test('sizes that do not fit each other are refused', () => {
  assertRefused({ hidden_size: 0 }, 'hidden_size', '0');
  assertRefused({ hidden_size: '32' }, 'hidden_size', '"32"');
  assertRefused({ num_hidden_layers: undefined }, 'num_hidden_layers', 'missing');
  assertRefused({ vocab_size: 1e300 }, 'vocab_size', '1e+300');
  assertRefused({ num_key_value_heads: 3 }, 'num_key_value_heads', '8', '3');
  assertRefused({ num_key_value_heads: 16 }, 'num_key_value_heads', '8', '16');
  assertRefused({ head_dim: 6 }, 'head_dim', 'multiple of 4', '6');
  assertRefused({ head_dim: null, hidden_size: 33 }, 'hidden_size', '8', '33');
  assertRefused({ eos_token_id: 64 }, 'eos_token_id', '64');
  assertRefused({ eos_token_id: ['</s>'] }, 'eos_token_id', '</s>');
  assertRefused({ sohu_reduction_leaves: 3 }, 'sohu_reduction_leaves', '3', '64');
  assertRefused({ rms_norm_eps: 0 }, 'rms_norm_eps', '0');
});

test('a model that is no transformer is refused in one sentence that says what it is', () => {
  const refusals: [Record<string, unknown>, string, string][] = [
    [
      { architectures: ['ResNetForImageClassification'] },
      'ResNetForImage',
      'a convolutional network',
    ],
    [{ architectures: ['ConvNextModel'] }, 'ConvNextModel', 'a convolutional network'],
    [{ architectures: undefined, model_type: 'efficientnet' }, 'efficientnet', 'a convolutional'],
    [{ architectures: undefined, model_type: 'mobilenet_v2' }, 'mobilenet_v2', 'a convolutional'],
    [{ architectures: ['VGG16'], model_type: undefined }, 'VGG16', 'a convolutional network'],
    [
      { architectures: undefined, model_type: undefined, architecture: 'resnet50' },
      'resnet50',
      'a convolutional network',
    ],
    [{ architectures: ['BiLSTMTagger'] }, 'BiLSTMTagger', 'a recurrent network'],
    [{ architectures: ['GRUModel'] }, 'GRUModel', 'a recurrent network'],
    [{ architectures: ['RwkvForCausalLM'] }, 'RwkvForCausalLM', 'a recurrent network'],
    [{ architectures: ['DLRM'] }, 'DLRM', 'a recommendation model'],
    [{ architectures: ['MambaForCausalLM'] }, 'MambaForCausalLM', 'a state-space model'],
    [{ architectures: ['Mamba2ForCausalLM'] }, 'Mamba2ForCausalLM', 'a state-space model'],
    [{ architectures: ['JambaForCausalLM'] }, 'JambaForCausalLM', 'a state-space model'],
    [
      { architectures: undefined, model_type: undefined, _class_name: 'UNet2DConditionModel' },
      'UNet2DConditionModel',
      'a diffusion U-Net',
    ],
  ];
  for (const [changes, name, kind] of refusals) {
    assertRefused(changes, 'Sohu runs transformers only: ', name, `is ${kind}`);
  }
});

test('a transformer of another family gets another sentence', () => {
  for (const name of ['GPT2LMHeadModel', 'MistralForCausalLM', 'BertModel', 'LlamaModel']) {
    assertRefused(
      { architectures: [name] },
      `${name} is a transformer that this version does not run; it runs LlamaForCausalLM`,
    );
  }
  assertRefused({ model_type: 'mixtral' }, 'model_type "mixtral" is a transformer');
  assertRefused({ architectures: ['Perceptron'] }, 'Perceptron', 'it runs LlamaForCausalLM');
  assertRefused({ architectures: undefined, model_type: undefined }, 'architectures');
});

test('any JSON is read or refused with a ModelError', () => {
  const fields = fc.constantFrom(...Object.keys(TINY_CONFIG), 'rope_scaling', 'rope_parameters');
  const changes = fc.dictionary(fields, fc.jsonValue());
  const json = fc.oneof(
    fc.jsonValue(),
    changes.map((change) => ({ ...TINY_CONFIG, ...change })),
  );
  fc.assert(
    fc.property(json, (value) => {
      try {
        parseHfConfig(value);
      } catch (error) {
        assert.ok(error instanceof ModelError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
