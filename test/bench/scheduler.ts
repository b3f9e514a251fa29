/**
 * Measures what the scheduler itself takes of a step, `schedule` and `complete` together, with many
 * running and waiting requests, and single operations on KV blocks with pools of different sizes.
 */
import { Command } from 'commander';
import { emptyBlockTable } from '../../services/core/kv/block-table.ts';
import { KvCacheManager } from '../../services/core/kv/kv-cache-manager.ts';
import {
  SCHEDULING_POLICIES,
  type SchedulingPolicy,
} from '../../services/core/scheduler/options.ts';
import { Scheduler } from '../../services/core/scheduler/scheduler.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';
import { digits, listOf, median, oneOf, printTable } from './table.ts';

interface Options {
  readonly running: number[];
  readonly waiting: number[];
  readonly policy: SchedulingPolicy[];
  readonly clients: number;
  readonly steps: number;
}

const PROMPT_TOKENS = 512;
const OUTPUT_TOKENS = 256;
const BLOCK_SIZE = 16;

/** Host time of every step in milliseconds: a full batch in its steady state, in which some end and others begin. */
function timeSteps(load: {
  readonly running: number;
  readonly waiting: number;
  readonly policy: SchedulingPolicy;
  readonly clients: number;
  readonly steps: number;
}): number[] {
  const { running, waiting, policy, clients, steps } = load;
  const scheduler = new Scheduler(
    makeSchedulerOptions({
      maxNumSeqs: running,
      maxNumBatchedTokens: 2 * running + 2048,
      schedulingPolicy: policy,
      maxNumQueuedReqs: 2 * (running + waiting),
      maxModelLen: 8192,
      blockSize: BLOCK_SIZE,
      kvBlocks: Math.ceil((1.1 * running * (PROMPT_TOKENS + OUTPUT_TOKENS)) / BLOCK_SIZE),
    }),
  );
  const feed = new RequestFeed(scheduler, clients);
  const durations: number[] = [];
  const warmup = 2 * OUTPUT_TOKENS;
  for (let step = 0; step < warmup + steps; step++) {
    feed.fill(running + waiting);
    const startMs = performance.now();
    const scheduled = scheduler.schedule(step)!;
    const scheduledMs = performance.now() - startMs;
    const drawn = scheduled.sequences
      .filter(({ sample }) => sample)
      .map(({ sequence }) => ({ token: sequence.tokens.length % 97, logprobs: undefined }));
    const completeMs = performance.now();
    scheduler.complete(drawn, step);
    scheduler.takeKvEvents();
    if (step >= warmup) durations.push(scheduledMs + performance.now() - completeMs);
  }
  return durations;
}

/** Keeps requests coming, of different lengths so that they end at different times. */
class RequestFeed {
  readonly #scheduler: Scheduler;
  readonly #clients: number;
  #count = 0;

  constructor(scheduler: Scheduler, clients: number) {
    this.#scheduler = scheduler;
    this.#clients = clients;
  }

  fill(total: number): void {
    while (this.#scheduler.runningCount + this.#scheduler.waitingCount < total) {
      const index = this.#count++;
      const promptTokens = Array.from({ length: PROMPT_TOKENS }, (_, i) => (index * 31 + i) % 5003);
      const maxTokens = 1 + ((index * 7919) % (2 * OUTPUT_TOKENS));
      const common = { priority: index % 3, clientId: `client-${index % this.#clients}` };
      this.#scheduler.add(makeGenerationRequest({ promptTokens, maxTokens, ...common }), index);
    }
  }
}

/** Nanoseconds of taking and giving back one block of a pool that is half in use. */
function timeBlocks(kvBlocks: number): number {
  const kv = new KvCacheManager({ kvBlocks, blockSize: BLOCK_SIZE, enablePrefixCaching: true });
  kv.grow(emptyBlockTable(''), (kvBlocks / 2) * BLOCK_SIZE);
  const rounds = 200_000;
  const startMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    const table = emptyBlockTable('');
    kv.grow(table, BLOCK_SIZE);
    kv.release(table);
  }
  return ((performance.now() - startMs) * 1e6) / rounds;
}

function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))]!;
}

const options = new Command('bench:scheduler')
  .option('--running <list>', 'running sequences', listOf(wholeNumber(1)), [250, 500, 1000, 2000])
  .option('--waiting <list>', 'waiting requests', listOf(wholeNumber(0)), [1000, 10_000])
  .option('--policy <list>', 'policies', listOf(oneOf(SCHEDULING_POLICIES)), ['fcfs'])
  .option('--clients <count>', 'clients that requests come from', wholeNumber(1), 50)
  .option('--steps <count>', 'timed steps', wholeNumber(1), 500)
  .parse()
  .opts<Options>();
printTable(
  options.policy.flatMap((policy) =>
    options.waiting.flatMap((waiting) =>
      options.running.map((running) => {
        const durations = timeSteps({ ...options, running, waiting, policy });
        return {
          policy,
          running,
          waiting,
          'median ms/step': digits(median(durations), 3),
          'p99 ms/step': digits(percentile(durations, 0.99), 3),
          'ns/sequence': digits((median(durations) * 1e6) / running, 3),
        };
      }),
    ),
  ),
);
printTable(
  [1_000, 100_000, 1_000_000].map((kvBlocks) => ({
    'KV blocks': kvBlocks,
    'ns to take and give back one': digits(timeBlocks(kvBlocks), 3),
  })),
);
