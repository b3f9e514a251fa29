import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ModelConfig } from '../../services/core/model/config.ts';
import { TENSOR_PARALLEL_DEGREES } from '../../services/core/model/shard-plan.ts';
import { makeStepShape } from '../../services/core/timing/step-shape.ts';
import { makeDevicePricer } from '../../services/runtime/coordinator/device-pricer.ts';
import { makeConfig } from '../core/model-configs.ts';

function secondsOf(config: ModelConfig, changes: object = {}): number {
  const pricer = makeDevicePricer({
    config,
    modelName: 'test',
    tp: 1,
    precision: 'fp8',
    kvCacheDtype: 'auto',
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 256,
    ...changes,
  });
  const prefill = [{ newTokens: 100, contextTokens: 0 }];
  return pricer.seconds(makeStepShape({ prefill, decodeSequences: 8, decodeContextTokens: 800 }));
}

suite('the price of a running model’s steps', () => {
  test('is there at every degree, for heads that it does not divide and for every precision', () => {
    const config = makeConfig({ heads: 6, kvHeads: 3 });
    for (const tp of TENSOR_PARALLEL_DEGREES) {
      for (const precision of ['f32', 'bf16', 'fp8']) {
        assert.ok(secondsOf(config, { tp, precision }) > 0, `${tp} ${precision}`);
      }
    }
  });

  test('is higher for wider weights and for wider keys and values', () => {
    const config = makeConfig({ hiddenSize: 4096, intermediateSize: 14_336, heads: 32 });
    assert.ok(secondsOf(config, { precision: 'bf16' }) > secondsOf(config));
    assert.ok(secondsOf(config) > secondsOf(config, { kvCacheDtype: 'fp8' }));
  });
});
