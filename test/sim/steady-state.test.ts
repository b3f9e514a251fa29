import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openLoopState } from '../../services/core/timing/open-loop.ts';
import { type SteadyLoad, steadyState } from '../../services/core/timing/steady-state.ts';
import { simulateDrawn } from '../support/capacity.ts';
import { makePricer } from '../support/pricing.ts';

const BLOCK_SIZE = 16;

/** Of all but the first and the last of `waves` of requests, which begin and end with a part of a batch. */
function simulatedThroughput(load: SteadyLoad, sequences: number, waves: number): number {
  const run = (count: number) =>
    simulateDrawn({
      pricer: makePricer(),
      workload: {
        requests: count * sequences,
        inputTokens: load.inputTokens,
        outputTokens: load.outputTokens,
      },
      scheduler: {
        maxNumSeqs: load.maxNumSeqs,
        maxNumBatchedTokens: load.maxNumBatchedTokens,
        kvBlocks: Math.floor(load.kvTokens / BLOCK_SIZE),
        blockSize: BLOCK_SIZE,
        capacitySchedulerPolicy:
          load.kvReservation === 'whole' ? 'guaranteed_no_evict' : 'max_utilization',
        enablePrefixCaching: false,
      },
      maxConcurrency: load.concurrency,
    });
  const [short, long] = [run(waves), run(2 * waves)];
  return (long.outputTokens - short.outputTokens) / (long.seconds - short.seconds);
}

suite('simulated throughput equals the steady state in closed form within 2 %', () => {
  const LOAD: SteadyLoad = {
    inputTokens: 2048,
    outputTokens: 128,
    concurrency: Number.POSITIVE_INFINITY,
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 2048,
    kvTokens: 1e6,
    kvReservation: 'whole',
    arrivals: 'together',
  };
  const cases: readonly (readonly [string, Partial<SteadyLoad>, number])[] = [
    ['where the token budget binds', { concurrency: 400 }, 400],
    [
      'where a larger budget binds',
      { maxNumBatchedTokens: 8192, concurrency: 1500, kvTokens: 4e6 },
      1500,
    ],
    ['with few clients', { concurrency: 16, inputTokens: 1000, outputTokens: 1000 }, 16],
    ['where the sequences are limited', { maxNumSeqs: 64, maxNumBatchedTokens: 8192 }, 64],
    ['with long outputs', { inputTokens: 128, outputTokens: 1024, maxNumSeqs: 256 }, 256],
    ['where the KV cache is full', { inputTokens: 512, outputTokens: 512, kvTokens: 80_000 }, 78],
  ];
  for (const [name, changes, sequences] of cases) {
    test(name, () => {
      const load = { ...LOAD, ...changes };
      const closed = steadyState(makePricer(), load).outputTokensPerSecond;
      const simulated = simulatedThroughput(load, sequences, 6);
      assert.ok(Math.abs(simulated / closed - 1) < 0.02, `${simulated} is ${closed}`);
    });
  }
});

suite('the mean time to the first token of Poisson arrivals, in closed form', () => {
  const REQUESTS = 3000;
  const load: SteadyLoad = {
    inputTokens: 467,
    outputTokens: 64,
    concurrency: Number.POSITIVE_INFINITY,
    maxNumBatchedTokens: 8192,
    maxNumSeqs: 1024,
    kvTokens: 2e6,
    kvReservation: 'whole',
    arrivals: 'spread',
  };
  for (const requestRate of [2, 8, 16, 24]) {
    test(`is within 10 % of a simulation of ${REQUESTS} requests at ${requestRate} a second`, () => {
      const { ttftSeconds } = openLoopState(makePricer(), load, requestRate);
      const report = simulateDrawn({
        workload: { requests: REQUESTS, requestRate, inputTokens: 467, outputTokens: 64 },
        scheduler: { maxNumBatchedTokens: 8192, maxNumSeqs: 1024, enablePrefixCaching: false },
      });
      const simulated = report.latencies.ttft.mean / 1000;
      assert.ok(Math.abs(ttftSeconds / simulated - 1) < 0.1, `${ttftSeconds} is ${simulated}`);
    });
  }
});
