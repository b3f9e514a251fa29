import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import type { Command } from '../../services/cluster/messages.ts';
import { decodeCommand } from '../../services/wire/command-codec.ts';
import { RELIABLE, VirtualGroup } from '../cluster/virtual-group.ts';
import { makeRandom, writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { type GenerateOptions, MemoryCluster } from '../support/memory-cluster.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

/** A request that is submitted when so many steps are complete. */
interface TimedRequest extends GenerateOptions {
  readonly step: number;
}

/** What a group did: its batches in order, and the tokens of every request. */
interface Course {
  /** Of each step, who computed which tokens from where and was sampled. */
  readonly batches: readonly unknown[];
  readonly tokens: readonly (readonly number[])[];
}

function makeRequests(seed: number): TimedRequest[] {
  const random = makeRandom(seed);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: 12 }, (_, index) => ({
    step: index === 0 ? 0 : upTo(10),
    prompt: Array.from({ length: 1 + upTo(90) }, () => upTo(64)),
    maxTokens: 1 + upTo(12),
    sampling: { temperature: upTo(2), topP: 1 - upTo(2) * 0.3, seed: index },
  }));
}

function recordBatches(batches: unknown[]): (command: Command | undefined) => void {
  return (command) => {
    if (command?.kind !== 'step') return;
    const parts = command.sequences.map(({ id, tokens, start, sample, blocks }) => ({
      ...{ id, tokens, start, sample, blocks },
    }));
    batches.push({ step: command.step, released: command.released, parts });
  };
}

async function runLive(model: string, tp: number, requests: TimedRequest[]): Promise<Course> {
  const batches: unknown[] = [];
  const record = recordBatches(batches);
  /** Hears what the first chip hears. */
  const wrapBus = (bus: Bus, rank: number): Bus => ({
    publish: (subject, data, options) => bus.publish(subject, data, options),
    subscribe: (subject, handler, options) =>
      bus.subscribe(
        subject,
        (message) => {
          if (rank === 0 && subject.endsWith('.command')) record(decodeCommand(message.data));
          handler(message);
        },
        options,
      ),
    newInbox: () => bus.newInbox(),
    flush: () => bus.flush(),
    onStatus: (listener) => bus.onStatus(listener),
    onForbidden: (listener) => bus.onForbidden(listener),
    close: () => bus.close(),
  });
  const results = new Map<TimedRequest, Promise<{ readonly tokens: readonly number[] }>>();
  let submit = (_: number): void => {};
  const limits = { kvBlocks: 64, maxNumBatchedTokens: 64, maxNumSeqs: 16 };
  const options = {
    ...{ model, tp, wrapBus, ...limits },
    onEvent: (event: { readonly kind: string; readonly step?: number }) => {
      if (event.kind === 'stepCompleted') submit(event.step!);
    },
  };
  return MemoryCluster.use(options, async (cluster) => {
    submit = (step) => {
      for (const request of requests) {
        if (request.step === step) results.set(request, cluster.generate(request));
      }
    };
    submit(0);
    await cluster.idle();
    assert.equal(results.size, requests.length);
    const generations = await Promise.all(requests.map((request) => results.get(request)!));
    return { batches, tokens: generations.map(({ tokens }) => tokens) };
  });
}

async function runSimulated(model: string, tp: number, requests: TimedRequest[]): Promise<Course> {
  const batches: unknown[] = [];
  const record = recordBatches(batches);
  const group = await VirtualGroup.start({ model, tp });
  group.network = {
    ...RELIABLE,
    command: (data, rank) => {
      if (rank === 0) record(decodeCommand(data));
      return RELIABLE.command(data, rank);
    },
  };
  const outcomes = new Map<TimedRequest, ReturnType<VirtualGroup['submit']>['outcome']>();
  const submit = (step: number): void => {
    for (const request of requests) {
      if (request.step === step) outcomes.set(request, group.submit(request).outcome);
    }
  };
  group.onEvent = (event) => {
    if (event.kind === 'stepCompleted') submit(event.step);
  };
  submit(0);
  group.run(
    () => outcomes.size === requests.length && [...outcomes.values()].every(({ done }) => done),
  );
  return { batches, tokens: requests.map((request) => outcomes.get(request)!.tokens) };
}

suite('a live cluster and a simulated world', () => {
  for (const tp of [1, 2, 4]) {
    test(`form the same batches and draw the same tokens, with ${tp} chips`, async (t) => {
      const model = makeTemporaryDirectory(t);
      writeHfCheckpoint(model, { seed: 9 });
      for (const seed of [1, 2, 3]) {
        const requests = makeRequests(seed);
        const live = await runLive(model, tp, requests);
        const simulated = await runSimulated(model, tp, requests);
        assert.deepEqual(simulated, live);
        assert.ok(live.batches.length > 15, `${live.batches.length} batches`);
      }
    });
  }
});
