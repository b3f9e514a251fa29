import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findArchitecture, listCatalogue } from '../../services/checkpoint/model-catalogue.ts';
import {
  countParameters,
  kvElementsPerToken,
} from '../../services/core/architecture/parameters.ts';
import { makeParametric, parseParametric } from '../../services/core/architecture/parametric.ts';
import { parseArchitecture } from '../../services/core/architecture/parse-architecture.ts';
import { packagePath } from '../../services/runtime/package-info.ts';

const CATALOGUE = packagePath('models/catalogue');
const find = (name: string) => findArchitecture(name, CATALOGUE);

/** Parameters as their authors print them, in billions: all, and those that a token meets. */
const PRINTED: Readonly<Record<string, readonly [number, number]>> = {
  'deepseek-v3': [671, 37],
  'gpt-3-175b': [175, 175],
  'llama-2-7b': [6.74, 6.74],
  'llama-2-70b': [69, 69],
  'llama-3-8b': [8.03, 8.03],
  'llama-3-70b': [70.6, 70.6],
  'llama-3.1-405b': [405.9, 405.9],
  'mistral-7b': [7.25, 7.25],
  'mixtral-8x7b': [46.7, 12.9],
  'mixtral-8x22b': [141, 39],
  'qwen2.5-72b': [72.7, 72.7],
  'qwen3-30b-a3b': [30.5, 3.3],
  'qwen3-235b-a22b': [235, 22],
  'wan-2.1-14b': [14, 14],
};

suite('the model catalogue', () => {
  test('holds every model of which it speaks, each with its source', () => {
    const names = listCatalogue(CATALOGUE);
    for (const name of Object.keys(PRINTED)) assert.ok(names.includes(name), name);
    for (const name of names) assert.match(find(name).source, /huggingface|arXiv/);
  });

  for (const [name, [total, active]] of Object.entries(PRINTED)) {
    test(`counts the parameters that the authors of ${name} print`, () => {
      const counted = countParameters(find(name));
      assert.ok(Math.abs(counted.total / 1e9 / total - 1) < 0.01, `${counted.total}`);
      assert.ok(Math.abs(counted.active / 1e9 / active - 1) < 0.02, `${counted.active}`);
    });
  }

  test('knows what a token leaves in the KV cache', () => {
    assert.equal(kvElementsPerToken(find('llama-3-70b')), 163_840);
    assert.equal(kvElementsPerToken(find('deepseek-v3')), 61 * (512 + 64));
    assert.equal(kvElementsPerToken(find('wan-2.1-14b')), 0);
  });

  test('an unknown name is refused with the nearest', () => {
    assert.throws(
      () => find('llama-3-71b'),
      /^InvalidArgumentError: model must be one of .+; the nearest is llama-3-70b$/,
    );
  });
});

suite('the parametric family', () => {
  for (const kind of ['dense', 'moe'] as const) {
    for (const parameters of [1e9, 70e9, 1e12, 100e12]) {
      test(`a ${kind} member has about the ${parameters} parameters that it is asked for`, () => {
        const { total, active } = countParameters(makeParametric(kind, parameters));
        assert.ok(Math.abs(total / parameters - 1) < 0.05, `${total}`);
        assert.ok(kind === 'dense' ? active === total : active < total / 2);
      });
    }
  }

  test('is asked for by name', () => {
    assert.equal(parseParametric('moe-100t')?.name, 'moe-100t');
    assert.equal(parseParametric('llama-3-70b'), undefined);
    assert.throws(
      () => parseParametric('dense-101t'),
      /up to|from 100m to 100t.+nearest is dense-100t/,
    );
  });
});

suite('a config.json', () => {
  const LLAMA = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    vocab_size: 100,
  };
  const parse = (json: unknown) => parseArchitecture(json, { name: 'mine', source: 'test' });

  test('of an executable model is read as the executable model is', () => {
    assert.equal(countParameters(parse(LLAMA)).layers, 2 * (4 * 64 * 64 + 3 * 64 * 128));
    assert.throws(() => parse({ ...LLAMA, hidden_size: 0 }), /hidden_size must be an integer/);
  });

  test('of an unknown family is refused by its model_type', () => {
    assert.throws(
      () => parse({ ...LLAMA, model_type: 'mamba' }),
      /^ModelError: model_type must be one of llama, mistral, .+, not "mamba"$/,
    );
    assert.throws(() => parse([]), /the config must be a JSON object/);
  });

  test('with more active experts than there are is refused', () => {
    const json = {
      ...LLAMA,
      model_type: 'mixtral',
      max_position_embeddings: 100,
      num_local_experts: 4,
      num_experts_per_tok: 5,
    };
    assert.throws(() => parse(json), /num_experts_per_tok must be an integer from 1 to 4, not 5/);
  });
});
