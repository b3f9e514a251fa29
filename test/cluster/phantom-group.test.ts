import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { realTimeFactor } from '../../services/cluster/pacer.ts';
import type { GenerationRequest } from '../../services/core/scheduler/request.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { END_OF_TEXT, PhantomWorld, type PhantomWorldOptions, type Told } from './phantom-world.ts';

/** Requests of several lengths, with samples of their own. */
function makeRequests(count: number, given: Partial<GenerationRequest> = {}): GenerationRequest[] {
  return Array.from({ length: count }, (_, index) =>
    makeGenerationRequest({
      requestId: `request-${index}`,
      promptTokens: Array.from({ length: 40 + 90 * index }, (_, at) => 300 + ((at + index) % 99)),
      maxTokens: 12 + index,
      n: 1 + (index % 2),
      ...given,
      sampling: { seed: 77 + index, temperature: 1 },
    }),
  );
}

function tokensOf(told: ReadonlyMap<string, Told>): Record<string, readonly number[]> {
  return Object.fromEntries([...told].map(([name, { tokens }]) => [name, tokens]));
}

function serve(options: PhantomWorldOptions, requests: readonly GenerationRequest[]) {
  const world = new PhantomWorld(options);
  return { world, told: world.serve(requests) };
}

suite('tokens of a phantom group', () => {
  const requests = makeRequests(6);
  const expected = tokensOf(serve({ tp: 1 }, requests).told);

  for (const tp of [2, 4, 8]) {
    test(`are those of one chip with ${tp}`, () => {
      assert.deepEqual(tokensOf(serve({ tp }, requests).told), expected);
    });
  }

  test('do not depend on chunks and preemptions', () => {
    const { world, told } = serve({ tp: 2, kvBlocks: 40, maxNumBatchedTokens: 96 }, requests);
    assert.ok(world.world.coordinator.scheduler!.stats.preemptions > 0);
    assert.deepEqual(tokensOf(told), expected);
  });

  test('do not depend on a chip that starts anew', () => {
    const world = new PhantomWorld({ tp: 4 });
    for (const request of requests) world.submit(request);
    world.run(() => world.told.get('request-5/1')!.tokens.length === 5);
    world.world.restartChip(2);
    world.run(() => [...world.told.values()].every((told) => told.finishReason !== undefined));
    assert.deepEqual(tokensOf(world.told), expected);
  });
});

suite('outputs of a phantom group', () => {
  const lengths = { distribution: 'fixed', mean: 5 } as const;

  test('end with the end of text where the length model says', () => {
    const { told } = serve({ tp: 2, lengths }, makeRequests(3, { n: 1, maxTokens: 30 }));
    for (const { tokens, finishReason } of told.values()) {
      assert.deepEqual([tokens.length, tokens.at(-1), finishReason], [5, END_OF_TEXT, 'stop']);
    }
  });

  test('go on past it where the request ignores it, and to min_tokens', () => {
    const ignoring = serve({ tp: 2, lengths }, makeRequests(1, { ignoreEos: true, maxTokens: 30 }));
    const [first] = ignoring.told.values();
    assert.deepEqual([first!.tokens.length, first!.finishReason], [30, 'length']);
    assert.equal(first!.tokens.filter((token) => token === END_OF_TEXT).length, 1);
    const longer = serve({ tp: 2, lengths }, makeRequests(1, { minTokens: 9, maxTokens: 30 }));
    const [second] = longer.told.values();
    assert.deepEqual([second!.tokens.length, second!.tokens.at(-1)], [10, END_OF_TEXT]);
  });

  test('end at stop tokens of the request, which min_tokens keeps away', () => {
    const [free] = serve({ tp: 2 }, makeRequests(1, { maxTokens: 20 })).told.values();
    const stopTokenIds = [free!.tokens[3]!];
    const [stopped] = serve({ tp: 2 }, makeRequests(1, { stopTokenIds })).told.values();
    assert.deepEqual(stopped!.tokens, free!.tokens.slice(0, 4));
    const later = serve({ tp: 2 }, makeRequests(1, { stopTokenIds, minTokens: 6, maxTokens: 20 }));
    const [kept] = later.told.values();
    assert.ok(kept!.tokens.length > 6 && !kept!.tokens.slice(0, 6).includes(stopTokenIds[0]!));
  });

  test('have log-probabilities of equally likely tokens', () => {
    const world = new PhantomWorld({ tp: 2 });
    const [sequence] = world.submit(
      makeGenerationRequest({ promptTokens: [1], sampling: { logprobs: 3 }, maxTokens: 1 }),
    );
    world.run(() => sequence!.state === 'ended');
    const { tokens, logprobs } = world.told.get('request/0')!;
    assert.equal(logprobs[0]!.logprob, -Math.log(600));
    assert.deepEqual([logprobs[0]!.top.length, logprobs[0]!.top[0]!.token], [3, tokens[0]]);
  });
});

suite('the modelled links of a phantom group', () => {
  const bytesOf = (tp: number): number[] => {
    const { world } = serve({ tp }, makeRequests(1, { n: 1 }));
    return world.world.chips.map(({ meter }) => meter.counters.bytesSent);
  };

  test('carry what the model says, the same on every chip, and nothing on one', () => {
    assert.deepEqual(bytesOf(1), [0]);
    const four = bytesOf(4);
    // 32 layers, two all-reduces each, of 40 prompt tokens at 4096 × 2 bytes.
    assert.ok(Math.min(...four) > 32 * 2 * 40 * 4096 * 2);
    assert.ok(Math.max(...four) - Math.min(...four) < 100);
  });
});

suite('the pace of a phantom group', () => {
  test('is held: no token comes before its device time, and none much later', () => {
    const world = new PhantomWorld({ tp: 4, speed: 0.5 });
    const [told] = world.serve(makeRequests(1, { n: 1, maxTokens: 40 })).values();
    const first = told!.hostMicros[0]! - told!.deviceMicros[0]! / 0.5;
    for (const [index, deviceMicros] of told!.deviceMicros.entries()) {
      const late = told!.hostMicros[index]! - deviceMicros / 0.5 - first;
      assert.ok(Math.abs(late) <= 2, `token ${index} is ${late} µs late`);
    }
    assert.ok(Math.abs(realTimeFactor(world.world.coordinator.clock!.pace)! - 1) < 1e-3);
  });

  test('is told where the host cannot hold it', () => {
    const world = new PhantomWorld({ tp: 4, speed: 1, delayMicros: 20_000 });
    world.serve(makeRequests(1, { n: 1, maxTokens: 40 }));
    const { pace } = world.world.coordinator.clock!;
    // Command, frame and report one after the other.
    assert.ok(Math.abs(pace.busyMicros / world.stepMicros.length - 60_000) < 100);
    assert.ok(realTimeFactor(pace)! < 0.5 && pace.lagMicros > 0);
  });

  test('does not count pauses', () => {
    const world = new PhantomWorld({ tp: 2, speed: 1 });
    world.serve(makeRequests(1, { n: 1 }));
    world.pass(5e6);
    world.serve(makeRequests(1, { n: 1, requestId: 'later' }));
    const { pace } = world.world.coordinator.clock!;
    assert.ok(pace.busyMicros < 2e6 && Math.abs(realTimeFactor(pace)! - 1) < 1e-2);
    const [, later] = [...world.told.values()];
    assert.ok(later!.deviceMicros[0]! > 5e6, 'device time goes on in a pause');
  });
});
