import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { CallOptions } from '../../services/rpc/call-options.ts';
import type { Clock } from '../../services/rpc/clock.ts';
import { PUSHBACK_TRAILER } from '../../services/rpc/retry/pushback.ts';
import {
  backoffMs,
  DEFAULT_RETRY_POLICY,
  type RetryPolicy,
} from '../../services/rpc/retry/retry-policy.ts';
import { RetryThrottle } from '../../services/rpc/retry/retry-throttle.ts';
import {
  ATTEMPTS_METADATA,
  type RetryOptions,
  retrying,
} from '../../services/rpc/retry/retrying.ts';
import { type ErrorCode, RpcError, STATUS_NUMBERS } from '../../services/rpc/status.ts';
import { ASK, BROKERS, collect, makePair, STREAM, until } from './toy-service.ts';

const POLICY: RetryPolicy = { ...DEFAULT_RETRY_POLICY, maxAttempts: 5, initialBackoffMs: 100 };
const NO_THROTTLE = { maxTokens: 1e9, tokenRatio: 1 };

/** A clock that only sleep moves. */
class ManualClock implements Clock {
  readonly sleeps: number[] = [];
  #nowMs = 0;

  now(): number {
    return this.#nowMs;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.sleeps.push(milliseconds);
    this.#nowMs += milliseconds;
  }
}

type Attempt = (context: CallOptions) => AsyncIterable<unknown>;

/** Runs one call whose attempts end as given, in turn; the last for ever. */
async function run(attempts: readonly Attempt[], options: RetryOptions, context: CallOptions = {}) {
  const clock = new ManualClock();
  const seen: CallOptions[] = [];
  const retry = retrying({
    policy: POLICY,
    throttle: NO_THROTTLE,
    random: () => 0.5,
    clock,
    ...options,
  });
  const responses: unknown[] = [];
  let code = 'OK';
  try {
    const call = { method: STREAM, request: '', context };
    for await (const response of retry(call, ({ context: given }) => {
      seen.push(given);
      return attempts[Math.min(seen.length, attempts.length) - 1]!(given);
    })) {
      responses.push(response);
    }
  } catch (error) {
    code = RpcError.from(error).code;
  }
  return { code, responses, seen, sleeps: clock.sleeps };
}

const succeed: Attempt = async function* () {
  yield 'done';
};

function failing(error: RpcError, trailers?: ReadonlyMap<string, string>): Attempt {
  // biome-ignore lint/correctness/useYield: the attempt fails before its first response.
  return async function* (context) {
    if (trailers !== undefined) context.onTrailer?.(trailers);
    throw error;
  };
}

const unavailable = failing(new RpcError('UNAVAILABLE', 'x'));

suite('a client that retries', () => {
  test('backs off exponentially, to a limit and within the jitter', () => {
    const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), draw, (retry, value) => {
        const exact = Math.min(100 * 2 ** (retry - 1), POLICY.maxBackoffMs);
        const actual = backoffMs(POLICY, { retry, draw: value });
        assert.ok(actual >= exact * 0.8 - 1e-9 && actual <= exact * 1.2 + 1e-9);
      }),
    );
  });

  test('repeats a failed call until it succeeds', async () => {
    const { code, responses, sleeps, seen } = await run([unavailable, unavailable, succeed], {});
    assert.equal(code, 'OK');
    assert.deepEqual(responses, ['done']);
    assert.deepEqual(sleeps, [100, 200]);
    assert.deepEqual(
      seen.map(({ metadata }) => metadata?.get(ATTEMPTS_METADATA)),
      [undefined, '1', '2'],
    );
  });

  test('gives up after the last attempt', async () => {
    const { code, seen, sleeps } = await run([unavailable], {});
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(seen.length, 5);
    assert.deepEqual(sleeps, [100, 200, 400, 800]);
  });

  test('repeats only the codes of its policy, and overload only when told when', async () => {
    for (const code of Object.keys(STATUS_NUMBERS).filter((each) => each !== 'OK')) {
      const error = new RpcError(code as ErrorCode, 'x');
      const { seen } = await run([failing(error), succeed], {});
      assert.equal(seen.length, code === 'UNAVAILABLE' ? 2 : 1, code);
    }
    const details = [{ kind: 'retryInfo', retryDelayMs: 1_234 } as const];
    const overload = failing(new RpcError('RESOURCE_EXHAUSTED', 'x', { details }));
    assert.deepEqual((await run([overload, succeed], {})).sleeps, [1_234]);
  });

  test('obeys the pushback of the server, and starts its back-off anew after it', async () => {
    const error = new RpcError('UNAVAILABLE', 'x');
    const pushed = (value: string) => failing(error, new Map([[PUSHBACK_TRAILER, value]]));
    const { sleeps } = await run([unavailable, unavailable, pushed('7'), unavailable, succeed], {});
    assert.deepEqual(sleeps, [100, 200, 7, 100]);
    for (const retryDelayMs of [-1, 2 ** 31]) {
      const details = [{ kind: 'retryInfo', retryDelayMs } as const];
      const { seen } = await run([failing(new RpcError('UNAVAILABLE', 'x', { details }))], {});
      assert.equal(seen.length, 1, `${retryDelayMs}`);
    }
    for (const value of ['-1', 'soon', '', '1e99']) {
      const { seen, code } = await run([pushed(value), succeed], {});
      assert.deepEqual([seen.length, code], [1, 'UNAVAILABLE'], value);
    }
  });

  test('never repeats what the caller has seen something of', async () => {
    const afterMessage: Attempt = async function* () {
      yield 'first';
      throw new RpcError('UNAVAILABLE', 'x');
    };
    // biome-ignore lint/correctness/useYield: the attempt fails behind its headers.
    const afterHeaders: Attempt = async function* (context) {
      context.onHeader?.(new Map());
      throw new RpcError('UNAVAILABLE', 'x');
    };
    for (const attempt of [afterMessage, afterHeaders]) {
      const { code, seen } = await run([attempt, succeed], {});
      assert.deepEqual([code, seen.length], ['UNAVAILABLE', 1]);
    }
    assert.deepEqual((await run([afterMessage, succeed], {})).responses, ['first']);
  });

  test('hands on only the trailers of the last attempt', async () => {
    const trailers = (name: string) => new Map([[name, name]]);
    const given: string[] = [];
    const onTrailer = (each: ReadonlyMap<string, string>) => given.push(...each.keys());
    const error = new RpcError('UNAVAILABLE', 'x');
    const last: Attempt = async function* (context) {
      yield 'done';
      context.onTrailer?.(trailers('last'));
    };
    await run([failing(error, trailers('first')), last], {}, { onTrailer });
    assert.deepEqual(given, ['last']);
    await run(
      [failing(error, trailers('only'))],
      { policy: { ...POLICY, maxAttempts: 1 } },
      {
        onTrailer,
      },
    );
    assert.deepEqual(given, ['last', 'only']);
  });

  test('gives every attempt the time that is left, and none beyond the deadline', async () => {
    const { seen, sleeps, code } = await run([unavailable], {}, { timeoutMs: 650 });
    assert.equal(code, 'UNAVAILABLE');
    assert.deepEqual(
      seen.map(({ timeoutMs }) => timeoutMs),
      [650, 550, 350],
    );
    assert.deepEqual(sleeps, [100, 200]);
  });

  test('stops when its signal fires', async () => {
    const controller = new AbortController();
    // biome-ignore lint/correctness/useYield: the attempt fails before its first response.
    const attempt: Attempt = async function* () {
      controller.abort();
      throw new RpcError('UNAVAILABLE', 'x');
    };
    const { seen } = await run([attempt, succeed], {}, { signal: controller.signal });
    assert.equal(seen.length, 1);
  });

  test('is throttled by failures and recovers with successes', async () => {
    const throttle = new RetryThrottle({ maxTokens: 4, tokenRatio: 0.5 });
    const allowed: boolean[] = [];
    for (let i = 0; i < 3; i += 1) {
      throttle.recordFailure();
      allowed.push(throttle.allowsRetry);
    }
    for (let i = 0; i < 4; i += 1) {
      throttle.recordSuccess();
      allowed.push(throttle.allowsRetry);
    }
    assert.deepEqual(allowed, [true, false, false, false, false, true, true]);
    const { seen } = await run([unavailable], { throttle: { maxTokens: 4, tokenRatio: 0.1 } });
    assert.equal(seen.length, 2);
  });

  test('refuses a policy that cannot be', () => {
    const bad: Partial<RetryPolicy>[] = [
      { maxAttempts: 0 },
      { maxAttempts: 6 },
      { maxAttempts: 1.5 },
      { initialBackoffMs: 0 },
      { maxBackoffMs: Number.NaN },
      { backoffMultiplier: -1 },
    ];
    for (const each of bad) {
      assert.throws(() => retrying({ policy: { ...POLICY, ...each } }), {
        name: 'InvalidArgumentError',
        message: new RegExp(`^${Object.keys(each)[0]} must`),
      });
    }
  });
});

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  test(`over ${name}, a server that refuses twice is asked three times`, async (t) => {
    const connect = await makeBroker(t);
    if (connect === undefined) return;
    const clock = new ManualClock();
    const interceptors = [retrying({ policy: POLICY, clock, random: () => 0.5 })];
    const { server, client, serverBus } = await makePair(connect, { client: { interceptors } });
    let attempts = 0;
    server.unary(ASK, (_, call) => {
      attempts += 1;
      if (attempts === 1) call.setTrailer(PUSHBACK_TRAILER, '77');
      if (attempts < 3) throw new RpcError('UNAVAILABLE', 'not yet');
      return call.metadata.get(ATTEMPTS_METADATA) ?? 'none';
    });
    server.serverStreaming(STREAM, async function* () {
      attempts += 1;
      yield 'first';
      throw new RpcError('UNAVAILABLE', 'broken');
    });
    await serverBus.flush();
    assert.equal(await client.callUnary(ASK, ''), '2');
    assert.deepEqual(clock.sleeps, [77, 100]);
    attempts = 0;
    const stream = client.callServerStreaming(STREAM, '');
    await assert.rejects(collect(stream), { code: 'UNAVAILABLE', message: 'broken' });
    assert.equal(attempts, 1);
    await until(() => server.openCalls === 0);
  });
}
