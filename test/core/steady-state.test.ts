import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { finiteRunTokensPerSecond } from '../../services/core/timing/finite-run.ts';
import { type SteadyLoad, steadyState } from '../../services/core/timing/steady-state.ts';
import type { StepPricer } from '../../services/core/timing/step-pricer.ts';
import { makeStepShape, type PrefillChunk } from '../../services/core/timing/step-shape.ts';
import { makePricer, makeRates } from '../support/pricing.ts';

const LOAD: SteadyLoad = {
  inputTokens: 2048,
  outputTokens: 128,
  concurrency: Number.POSITIVE_INFINITY,
  maxNumBatchedTokens: 2048,
  maxNumSeqs: 2048,
  kvTokens: 1e6,
  kvReservation: 'growing',
  arrivals: 'together',
};

interface Running {
  computed: number;
  produced: number;
}

/** Sequences of every progress. */
function spreadOut({ concurrency, inputTokens, outputTokens }: SteadyLoad): Running[] {
  return Array.from({ length: concurrency }, (_, index) => ({
    computed: inputTokens,
    produced: 1 + Math.floor((index * (outputTokens - 1)) / concurrency),
  }));
}

/** Continuous batching with chunked prefill, step by step: decode first, then prompts, in order. */
function simulate(pricer: StepPricer, load: SteadyLoad, steps: number): number {
  const running: Running[] = load.arrivals === 'together' ? [] : spreadOut(load);
  let outputs = 0;
  let seconds = 0;
  for (let step = 0; step < steps; step++) {
    const capacity = Math.min(load.concurrency, load.maxNumSeqs);
    while (running.length < capacity) running.push({ computed: 0, produced: 0 });
    const decoding = running.filter(({ produced }) => produced > 0);
    let room = load.maxNumBatchedTokens - decoding.length;
    const prefill: PrefillChunk[] = [];
    for (const sequence of running) {
      if (sequence.produced > 0 || room <= 0) continue;
      const newTokens = Math.min(room, load.inputTokens - sequence.computed);
      prefill.push({ newTokens, contextTokens: sequence.computed });
      sequence.computed += newTokens;
      room -= newTokens;
    }
    const context = decoding.reduce((sum, { produced }) => sum + load.inputTokens + produced, 0);
    const took = pricer.seconds(
      makeStepShape({
        prefill,
        decodeSequences: decoding.length,
        decodeContextTokens: context,
      }),
    );
    for (const sequence of decoding) sequence.produced++;
    const begun = running.filter(
      ({ computed, produced }) => produced === 0 && computed === load.inputTokens,
    );
    for (const sequence of begun) sequence.produced = 1;
    if (step >= steps / 2) {
      seconds += took;
      outputs += decoding.length + begun.length;
    }
    for (let index = running.length - 1; index >= 0; index--) {
      if (running[index]!.produced === load.outputTokens) running.splice(index, 1);
    }
  }
  return outputs / seconds;
}

suite('the steady state of continuous batching', () => {
  const cases: readonly (readonly [string, Partial<SteadyLoad>])[] = [
    ['a token budget that binds', { concurrency: 400 }],
    ['a larger budget', { maxNumBatchedTokens: 8192, concurrency: 1500 }],
    ['few clients', { concurrency: 16, inputTokens: 1000, outputTokens: 1000 }],
    ['clients that drifted apart', { concurrency: 64, arrivals: 'spread', outputTokens: 512 }],
    [
      'few that drifted apart',
      { concurrency: 12, arrivals: 'spread', inputTokens: 500, outputTokens: 300 },
    ],
    ['a sequence limit', { maxNumSeqs: 64, maxNumBatchedTokens: 8192 }],
    ['long outputs', { inputTokens: 128, outputTokens: 1024, maxNumSeqs: 256 }],
  ];
  for (const [name, changes] of cases) {
    test(`equals batching step by step within 2 %: ${name}`, () => {
      const pricer = makePricer();
      const load = { ...LOAD, ...changes };
      const simulated = simulate(pricer, load, 8000);
      const closed = steadyState(pricer, load).outputTokensPerSecond;
      assert.ok(Math.abs(closed / simulated - 1) < 0.02, `${closed} is ${simulated}`);
    });
  }

  test('keeps Little’s law, the budget and the limits', () => {
    const load = fc.record({
      inputTokens: fc.integer({ min: 1, max: 8000 }),
      outputTokens: fc.integer({ min: 1, max: 4000 }),
      concurrency: fc.oneof(
        fc.integer({ min: 1, max: 4000 }),
        fc.constant(Number.POSITIVE_INFINITY),
      ),
      maxNumBatchedTokens: fc.integer({ min: 64, max: 16_384 }),
      maxNumSeqs: fc.integer({ min: 1, max: 4096 }),
      kvTokens: fc.integer({ min: 12_000, max: 4_000_000 }),
      kvReservation: fc.constantFrom('whole' as const, 'growing' as const),
      arrivals: fc.constantFrom('spread' as const, 'together' as const),
    });
    const pricer = makePricer();
    const property = fc.property(load, (given) => {
      const state = steadyState(pricer, given);
      const { decodeSequences, shape, stepSeconds } = state;
      assert.ok(decodeSequences <= Math.min(given.maxNumSeqs, given.concurrency) + 1e-9);
      assert.ok(shape.prefillTokens + shape.decodeSequences <= given.maxNumBatchedTokens + 1e-6);
      assert.ok(stepSeconds > 0 && state.tpotSeconds > 0 && state.ttftSeconds > 0);
      if (given.outputTokens > 1) {
        const residence = (given.outputTokens - 1) * stepSeconds;
        const inFlight = state.requestsPerSecond * residence;
        assert.ok(Math.abs(inFlight / decodeSequences - 1) < 1e-9);
      }
      assert.ok(
        Math.abs(
          state.totalTokensPerSecond / state.requestsPerSecond -
            given.inputTokens -
            given.outputTokens,
        ) < 1e-6,
      );
    });
    fc.assert(property);
  });

  test('a larger KV cache never serves less', () => {
    const pricer = makePricer({ layout: { tp: 1, pp: 1, ep: 1, dp: 1 }, rates: makeRates('H200') });
    let before = 0;
    for (const kvTokens of [5000, 20_000, 80_000, 320_000]) {
      const { outputTokensPerSecond } = steadyState(pricer, { ...LOAD, kvTokens });
      assert.ok(outputTokensPerSecond >= before);
      before = outputTokensPerSecond;
    }
  });

  test('a run of many waves comes near the steady state, and a part of a wave is slower', () => {
    const pricer = makePricer();
    const load = { ...LOAD, inputTokens: 128, outputTokens: 512, maxNumSeqs: 200 };
    const steady = steadyState(pricer, load).outputTokensPerSecond;
    const long = finiteRunTokensPerSecond(pricer, load, 20_100);
    assert.ok(Math.abs(long / steady - 1) < 0.01);
    assert.ok(finiteRunTokensPerSecond(pricer, load, 50) < steady);
  });

  test('bad loads are refused in one sentence that names the field', () => {
    const pricer = makePricer();
    const refusals: readonly (readonly [Partial<SteadyLoad>, RegExp])[] = [
      [{ inputTokens: 0 }, /inputTokens must be an integer from 1, not 0/],
      [{ outputTokens: 1.5 }, /outputTokens must be an integer from 1, not 1.5/],
      [{ concurrency: -1 }, /concurrency must be above 0, not -1/],
      [{ kvTokens: 100 }, /the KV cache holds 100 tokens, and one request needs 2176/],
    ];
    for (const [changes, says] of refusals) {
      assert.throws(() => steadyState(pricer, { ...LOAD, ...changes }), says);
    }
  });
});
