import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  LoadRun,
  type LoadRunOptions,
  type TimedRequest,
} from '../../../services/cli/bench/load-run.ts';
import {
  LoadError,
  type LoadEvent,
  type LoadRequest,
  type LoadTarget,
} from '../../../services/cli/bench/load-target.ts';
import { promptText, promptTokens } from '../../../services/cli/bench/prompts.ts';

type Send = (request: LoadRequest, signal: AbortSignal) => AsyncIterable<LoadEvent>;

/** A server that answers as a function says, and remembers what it was asked. */
class ScriptedTarget implements LoadTarget {
  readonly address = 'here';
  readonly model = 'none';
  readonly asked: LoadRequest[] = [];
  open = 0;
  mostOpen = 0;
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  async *send(request: LoadRequest, signal: AbortSignal): AsyncGenerator<LoadEvent> {
    this.asked.push(request);
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    try {
      yield* this.#send(request, signal);
    } finally {
      this.open--;
    }
  }

  async close(): Promise<void> {}
}

function requestsOf(count: number, changes: Partial<TimedRequest> = {}): TimedRequest[] {
  return Array.from({ length: count }, (_, number) => ({
    arrivalMicros: 0,
    inputTokens: 7,
    cancelAfterMs: undefined,
    make: () => ({ prompt: [number], maxTokens: 3 }),
    ...changes,
  }));
}

function runLoad(target: LoadTarget, changes: Partial<LoadRunOptions>): ReturnType<LoadRun['run']> {
  return new LoadRun({
    target,
    requests: requestsOf(10),
    maxConcurrency: Number.POSITIVE_INFINITY,
    arrivalsPerSecond: Number.POSITIVE_INFINITY,
    goals: {},
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...changes,
  }).run();
}

async function* threeTokens(): AsyncGenerator<LoadEvent> {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    yield { kind: 'tokens', count: 1 };
  }
}

async function* untilAborted(signal: AbortSignal): AsyncGenerator<LoadEvent> {
  yield { kind: 'tokens', count: 1 };
  // Time-outs alone do not keep a process, as the socket of a real server does.
  const socket = setInterval(() => {}, 60_000);
  try {
    await new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  } finally {
    clearInterval(socket);
  }
}

suite('a load', () => {
  test('counts every answer once, by what the server says or else by what came', async () => {
    for (const usage of [{ kind: 'usage', inputTokens: 11, outputTokens: 5 } as const, undefined]) {
      const target = new ScriptedTarget(async function* () {
        yield* threeTokens();
        if (usage !== undefined) yield usage;
      });
      const shares: number[] = [];
      const { report, failures, cancelled, unsent } = await runLoad(target, {
        onProgress: (share) => shares.push(share),
      });
      assert.deepEqual([report.completed, failures.size, cancelled, unsent], [10, 0, 0, 0]);
      const { inputTokens, outputTokens } = usage ?? { inputTokens: 7, outputTokens: 3 };
      assert.equal(report.inputTokens, 10 * inputTokens);
      assert.equal(report.outputTokens, 10 * outputTokens);
      assert.deepEqual(shares.at(-1), 1);
      assert.equal(target.asked.length, 10);
    }
  });

  test('keeps no more requests open than it may, and reaches that number', async () => {
    for (const maxConcurrency of [1, 3]) {
      const target = new ScriptedTarget(threeTokens);
      const { report } = await runLoad(target, { maxConcurrency });
      assert.deepEqual(
        [target.mostOpen, report.mostOpenRequests],
        [maxConcurrency, maxConcurrency],
      );
      assert.equal(report.completed, 10);
    }
  });

  test('sends what is due while earlier requests are open: the loop is open', async () => {
    const target = new ScriptedTarget((_, signal) =>
      target.asked.length < 10 ? untilAborted(signal) : threeTokens(),
    );
    const stop = new AbortController();
    const requests = requestsOf(10).map((request, number) => ({
      ...request,
      arrivalMicros: 2000 * number,
    }));
    const { report, cancelled } = await runLoad(target, {
      requests,
      signal: stop.signal,
      // Only the last request ends by itself.
      onProgress: () => stop.abort(),
    });
    assert.deepEqual([report.completed, cancelled, report.mostOpenRequests], [1, 9, 10]);
  });

  test('tells failures apart by their labels, and goes on', async () => {
    const target = new ScriptedTarget(async function* ({ prompt }) {
      const number = prompt[0] as number;
      if (number % 5 === 0) throw new LoadError('429', 'come again');
      if (number % 5 === 1) throw new TypeError('broken');
      if (number % 5 === 2) return;
      yield* threeTokens();
    });
    const { report, failures } = await runLoad(target, {});
    assert.equal(report.completed, 4);
    assert.deepEqual([...failures.keys()].sort(), ['429', 'empty', 'error']);
    assert.deepEqual(failures.get('429'), { count: 2, example: 'come again' });
  });

  test('lets clients leave, which is no failure', async () => {
    const target = new ScriptedTarget((_, signal) => untilAborted(signal));
    const requests = requestsOf(4, { cancelAfterMs: 1 });
    const { report, failures, cancelled } = await runLoad(target, { requests });
    assert.deepEqual([report.completed, failures.size, cancelled], [0, 0, 4]);
    assert.equal(target.open, 0);
  });

  test('counts what takes too long as failed', async () => {
    const target = new ScriptedTarget((_, signal) => untilAborted(signal));
    const { failures } = await runLoad(target, { requests: requestsOf(2), timeoutMs: 1 });
    assert.deepEqual(
      [...failures].map(([label, { count }]) => [label, count]),
      [['timeout', 2]],
    );
  });

  test('that is ended early says how many requests were not sent', async () => {
    const stop = new AbortController();
    const target = new ScriptedTarget(async function* (_, signal) {
      if (target.asked.length === 3) stop.abort();
      yield* untilAborted(signal);
    });
    const requests = requestsOf(9).map((request, number) => ({
      ...request,
      arrivalMicros: number < 3 ? 0 : 1e12,
    }));
    const { unsent, cancelled } = await runLoad(target, { requests, signal: stop.signal });
    assert.deepEqual([unsent, cancelled], [6, 3]);
  });
});

suite('made-up prompts', () => {
  const planned = (inputTokens: number, contentIds?: readonly number[]) => ({
    arrivalMicros: 0,
    inputTokens,
    outputTokens: 1,
    contentIds,
  });

  test('have the lengths that were asked for, share what has equal content, and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(), fc.nat(1000), (length, seed, number) => {
        const request = planned(length);
        const tokens = promptTokens(request, { seed, number });
        assert.equal(tokens.length, length);
        assert.ok(tokens.every((token) => token >= 300 && token < 1300));
        assert.deepEqual(promptTokens(request, { seed, number }), tokens);
        const words = promptText(request, { seed, number }).split(' ');
        assert.equal(words.length, Math.max(1, length));
        if (length < 16) return;
        assert.notDeepEqual(promptTokens(request, { seed, number: number + 1 }), tokens);
        assert.notDeepEqual(promptTokens(request, { seed: seed + 1, number }), tokens);
      }),
    );
  });

  test('of a trace are equal exactly where its content ids are', () => {
    const place = { seed: 1, number: 0 };
    const first = promptTokens(planned(1500, [7, 8, 9]), place);
    const second = promptTokens(planned(1200, [7, 8, 10]), { seed: 2, number: 5 });
    assert.deepEqual(second.slice(0, 1024), first.slice(0, 1024));
    assert.notDeepEqual(second.slice(1024), first.slice(1024, 1200));
  });
});
