import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import type { PlacedModel } from '../../services/core/timing/load-price.ts';
import { makePricer } from '../../services/core/timing/load-price.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { VENDOR_SCENARIOS } from '../../services/sim/vendor-scenarios/catalogue.ts';
import { CHAT } from '../../services/sim/vendor-scenarios/chat.ts';
import { CODING_AGENT } from '../../services/sim/vendor-scenarios/coding-agent.ts';
import { spreadOf } from '../../services/sim/vendor-scenarios/spread.ts';
import type {
  Outcome,
  VendorScenario,
} from '../../services/sim/vendor-scenarios/vendor-scenario.ts';
import { VIDEO_GENERATION } from '../../services/sim/vendor-scenarios/video-generation.ts';
import { VIDEO_QUESTION } from '../../services/sim/vendor-scenarios/video-question.ts';
import { VOICE } from '../../services/sim/vendor-scenarios/voice.ts';

function place(scenario: VendorScenario, chip: string, version: string): PlacedModel {
  const software = findSoftwareVersion(version);
  return {
    architecture: findArchitecture(scenario.model, 'models/catalogue'),
    chip: findChip(chip),
    layout: { tp: 8, pp: 1, ep: 1, dp: 1 },
    precision: { weights: 'fp8', kv: 'fp8' },
    software,
    maxNumBatchedTokens: software.maxNumBatchedTokens,
    maxNumSeqs: software.maxNumSeqs,
  };
}

function measure(
  scenario: VendorScenario,
  chip = 'H100',
  version = 'trtllm-1.0',
  seed = 0,
): Outcome {
  return scenario.measure({ placed: place(scenario, chip, version), end: 'middle', seed });
}

function numberOf({ measures }: Outcome, id: string): number {
  const { value } = measures.find((each) => each.id === id)!;
  assert.equal(typeof value, 'number', id);
  return value as number;
}

function secondsOf({ parts }: Outcome): number {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}

function assertNear(actual: number, expected: number, relative = 1e-6): void {
  assert.ok(Math.abs(actual / expected - 1) <= relative, `${actual}, not ${expected}`);
}

suite('vendor scenarios', () => {
  test('every number that goes in has a source, and what is said has one', () => {
    for (const { name, said, assumptions } of VENDOR_SCENARIOS) {
      assert.ok(said.text.length > 0 && said.source.length > 0, name);
      assert.ok(assumptions.length > 0, name);
      for (const { name: of, value, source } of assumptions) {
        assert.ok(source.length > 0 && Number.isFinite(value), of);
      }
    }
  });

  test('video: the passes of all steps, one after the other', () => {
    const placed = place(VIDEO_GENERATION, 'H100', 'trtllm-1.0');
    const tokens = 21 * 45 * 80;
    const shape = {
      prefillSequences: 1,
      prefillTokens: tokens,
      prefillPairs: tokens * tokens,
      prefillCachedTokens: 0,
      decodeSequences: 0,
      decodeContextTokens: 0,
      sampledRows: 0,
    };
    const seconds = 50 * 2 * makePricer(placed, 'middle').price(shape).seconds;
    const outcome = measure(VIDEO_GENERATION);
    assertNear(numberOf(outcome, 'sample_s'), seconds);
    assertNear(numberOf(outcome, 'seconds_per_frame'), seconds / 81);
    assertNear(secondsOf(outcome), seconds);
    const chips = numberOf(outcome, 'chips_in_real_time');
    assert.ok((chips / 8) * 81 >= 16 * seconds && (chips / 8 - 1) * 81 < 16 * seconds);
  });

  test('a question about a video: prefill and as many steps as the answer has tokens', () => {
    const outcome = measure(VIDEO_QUESTION);
    const tokens = 420 * (263 + 32) + 50;
    const { architecture } = place(VIDEO_QUESTION, 'H100', 'trtllm-1.0');
    assert.ok(tokens + 250 <= architecture.maxPositions, 'the question fits');
    assertNear(secondsOf(outcome), numberOf(outcome, 'answer_s'));
    // A token of generation reads the weights, and more keys than at the beginning.
    const placed = place(VIDEO_QUESTION, 'H100', 'trtllm-1.0');
    const step = (context: number): number =>
      makePricer(placed, 'middle').price({
        prefillSequences: 0,
        prefillTokens: 0,
        prefillPairs: 0,
        prefillCachedTokens: 0,
        decodeSequences: 1,
        decodeContextTokens: context,
        sampledRows: 1,
      }).seconds;
    const decode = numberOf(outcome, 'answer_s') - numberOf(outcome, 'first_token_s');
    assert.ok(decode > 249 * step(tokens) && decode < 249 * step(tokens + 250));
  });

  test('voice: the goals are kept, and more callers than that would break them', () => {
    const outcome = measure(VOICE, 'B200');
    const p99 = numberOf(outcome, 'p99_first_token_ms');
    assert.ok(p99 <= 200 && p99 > numberOf(outcome, 'first_token_ms'));
    assert.ok(numberOf(outcome, 'calls') > numberOf(measure(VOICE), 'calls'));
    assertNear(secondsOf(outcome), numberOf(outcome, 'answer_ms') / 1000);
  });

  test('chat: enough servers for the busiest hour', () => {
    const outcome = measure(CHAT);
    const peak = (10e6 * 10 * 2) / 86_400;
    const servers = numberOf(outcome, 'servers');
    const rate = numberOf(outcome, 'requests_per_second');
    assert.ok(servers * rate >= peak && (servers - 1) * rate < peak);
  });

  test('an agent: the prefix cache saves what was computed before, and tools take their time', () => {
    const outcome = measure(CODING_AGENT);
    const model = numberOf(outcome, 'model_s');
    assertNear(numberOf(outcome, 'task_minutes') * 60, model + 40 * 5);
    assertNear(secondsOf(outcome), model + 40 * 5);
    assert.ok(numberOf(outcome, 'uncached_model_s') > 1.2 * model);
    assert.ok(numberOf(outcome, 'shared_task_minutes') > numberOf(outcome, 'task_minutes'));
    // Of a turn's prompt all but the last answer, its result and the rest of a block was in the one before.
    const prompts = Array.from({ length: 40 }, (_, turn) => 8192 + 4096 + 1300 * turn);
    const total = prompts.reduce((sum, tokens) => sum + tokens, 0);
    const again = total - prompts.at(-1)! - 40 * 16;
    assert.ok(numberOf(outcome, 'prefix_cache_hit_rate') > again / total);
  });

  test('chips are measured alike, and equal seeds give equal outcomes', () => {
    const shown = (outcome: Outcome) => outcome.measures.map(({ id, unit }) => [id, unit]);
    const [gpu, claimed] = [measure(VOICE), measure(VOICE, 'Sohu', 'as-claimed')];
    assert.deepEqual(shown(claimed), shown(gpu));
    assert.deepEqual(measure(VOICE), gpu);
    assert.equal(claimed.parts.memory + claimed.parts.collectives, 0);
  });

  test('a spread goes from the least to the most of its ends, and is empty where there is nothing', () => {
    const parts = { compute: 1, memory: 0, collectives: 0, overhead: 0, elsewhere: 0 };
    const outcome = (value: number | null | { low: number; high: number }): Outcome => ({
      parts,
      measures: [{ id: 'a', name: 'a', unit: 's', value }],
    });
    const rangeOf = (...values: Parameters<typeof outcome>[0][]) =>
      spreadOf(values.map(outcome)).measures[0]!.range;
    assert.deepEqual(rangeOf(2, 3, { low: 1, high: 2.5 }), { low: 1, high: 3 });
    assert.deepEqual(rangeOf(null, 4), { low: 4, high: 4 });
    assert.equal(rangeOf(null), null);
  });
});
