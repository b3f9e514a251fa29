import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { SohuClient, type SohuClientOptions } from '../../services/client/index.ts';
import type { Clock } from '../../services/rpc/clock.ts';
import { serveInference } from '../../services/rpc/inference-service.ts';
import type { GenerateEvent, GenerateInput } from '../../services/rpc/inference-types.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { type ErrorCode, RpcError } from '../../services/rpc/status.ts';
import { tamperedBus } from '../rpc/toy-service.ts';
import { COMPLETE, CountingEngine } from './counting-engine.ts';

const LOST = new RpcError('UNAVAILABLE', 'the server is stopping');

/** How a call goes: so many events, and then its error, if any. */
interface Plan {
  readonly events: number;
  readonly failure?: RpcError | undefined;
}

/** Counts on from what it is told that has arrived, but each call ends as planned. */
class LosingEngine extends CountingEngine {
  /** For each call, from the first on; those behind them go well. */
  readonly #plans: readonly Plan[];

  constructor(plans: readonly Plan[]) {
    super();
    this.#plans = plans;
  }

  override async *generate(input: GenerateInput): AsyncGenerator<GenerateEvent> {
    const plan = this.#plans[this.inputs.length];
    this.inputs.push(input);
    let left = plan?.events ?? Number.POSITIVE_INFINITY;
    for (const event of this.#answer(input)) {
      if (left-- <= 0) break;
      yield event;
    }
    if (plan?.failure !== undefined) throw plan.failure;
  }

  *#answer({ requestId, sampling, resumption }: GenerateInput): Generator<GenerateEvent> {
    const { maxTokens = 0, n } = sampling;
    yield { kind: 'accepted', requestId, promptTokens: 2, seed: sampling.seed ?? 77 };
    for (let index = 0; index < n; index++) {
      const sample = resumption?.samples[index];
      if (sample?.isComplete) continue;
      for (let at = sample?.tokenIds.length ?? 0; at < maxTokens; at++) {
        const place = { index, firstTokenIndex: at, isLast: at + 1 === maxTokens };
        yield { kind: 'tokens', ...place, tokenIds: [at], text: `${at} `, logprobs: [] };
      }
      const usage = { ...COMPLETE.usage, completionTokens: maxTokens };
      yield { ...COMPLETE, index, usage };
    }
  }
}

/** Time that passes only while somebody sleeps. */
function makeClock(): Clock & { readonly slept: number[] } {
  let nowMs = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => nowMs,
    sleep: async (milliseconds) => {
      nowMs += milliseconds;
      slept.push(milliseconds);
    },
  };
}

/** `tamper` makes of each frame of the server what is sent. */
function connect(
  engine: CountingEngine,
  options: SohuClientOptions = {},
  tamper: (data: Uint8Array) => Uint8Array[] = (data) => [data],
) {
  const broker = new MemoryBroker();
  const bus = tamperedBus(broker.connect(), tamper);
  const server = new RpcServer(bus, { cluster: 'sohu', serverId: 'server-1' });
  serveInference(server, engine);
  const clock = makeClock();
  const retry = { clock, random: () => 0.5 };
  return { client: SohuClient.over(broker.connect(), { retry, ...options }), clock };
}

/** What arrives, and the code of the error behind it. */
async function readToEnd(stream: AsyncIterable<GenerateEvent>) {
  const events: GenerateEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events, code: undefined };
  } catch (error) {
    return { events, code: RpcError.from(error).code };
  }
}

const REQUEST = { prompt: 'x', requestId: 'mine', maxTokens: 5 };
const overloaded = new RpcError('RESOURCE_EXHAUSTED', 'the queue is full');

suite('a stream whose server is lost', () => {
  test('goes on wherever it was cut, and its reader sees one stream', async () => {
    const failure = fc.constantFrom(LOST, overloaded);
    const later = fc.record({ events: fc.nat(6), failure });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.option(fc.nat(2 ** 32 - 1), { nil: undefined }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(later, { maxLength: 6 }),
        async (n, seed, events, others) => {
          // A server at work that has no more room for its reader is not lost.
          const plans = others.map((each) =>
            each.failure === overloaded ? { ...each, events: 0 } : each,
          );
          const request = { ...REQUEST, n, ...(seed !== undefined && { seed }) };
          const whole = await readToEnd(
            connect(new LosingEngine([])).client.generateStream(request),
          );
          const engine = new LosingEngine([{ events, failure: LOST }, ...plans]);
          const stream = connect(engine).client.generateStream(request);
          assert.deepEqual(await readToEnd(stream), whole);
          const ids = new Set(engine.inputs.map(({ requestId }) => requestId));
          assert.deepEqual([...ids], ['mine']);
          for (const { sampling, resumption } of engine.inputs.slice(1)) {
            assert.equal(sampling.seed, seed ?? 77, 'the seed that the first server told');
            assert.equal(resumption?.samples.length, n);
          }
        },
      ),
    );
  });

  test('is collected whole as well', async () => {
    const plans = [3, 1, 4].map((events) => ({ events, failure: LOST }));
    const { choices, usage } = await connect(new LosingEngine(plans)).client.generate(REQUEST);
    assert.deepEqual([choices[0]!.tokenIds, choices[0]!.text], [[0, 1, 2, 3, 4], '0 1 2 3 4 ']);
    assert.equal(usage.completionTokens, 5);
  });

  test('goes on where frames are lost, and takes none twice', async () => {
    const whole = await readToEnd(connect(new LosingEngine([])).client.generateStream(REQUEST));
    // Accepted, the messages, the end: each of the first calls lacks another one.
    const frames = 2 + whole.events.length;
    for (const twice of [false, true]) {
      for (let lost = 2; lost < frames - 1; lost++) {
        let sent = 0;
        const tamper = (data: Uint8Array): Uint8Array[] => {
          if (sent++ === lost) return [];
          return twice ? [data, data] : [data];
        };
        const { client } = connect(new LosingEngine([]), {}, tamper);
        assert.deepEqual(await readToEnd(client.generateStream(REQUEST)), whole, `frame ${lost}`);
      }
    }
  });

  test('that has everything but the end of the call needs no other', async () => {
    const engine = new LosingEngine([{ events: 7, failure: LOST }]);
    const { events, code } = await readToEnd(connect(engine).client.generateStream(REQUEST));
    assert.deepEqual([events.length, code, engine.inputs.length], [7, undefined, 1]);
  });

  test('is given up after its patience, which every token renews', async () => {
    const plans = Array.from({ length: 200 }, (_, call) => ({
      events: call % 20 === 0 ? 2 : 1,
      failure: LOST,
    }));
    const engine = new LosingEngine(plans);
    const { client, clock } = connect(engine, { resume: { patienceMs: 30_000 } });
    const { code } = await readToEnd(client.generateStream({ ...REQUEST, maxTokens: 400 }));
    assert.equal(code, 'UNAVAILABLE');
    const withoutNews = clock.slept.reduce((sum, each) => sum + each, 0);
    assert.ok(withoutNews > 25_000 && withoutNews <= 30_000, `${withoutNews} ms`);
    assert.ok(Math.max(...clock.slept) <= 2_000, 'the back-off has a bound');
  });

  const refused: readonly [string, Plan[], SohuClientOptions, ErrorCode][] = [
    [
      'by an error of its own',
      [{ events: 3, failure: new RpcError('INTERNAL', '') }],
      {},
      'INTERNAL',
    ],
    [
      'where its reader makes no room',
      [{ events: 3, failure: overloaded }],
      {},
      'RESOURCE_EXHAUSTED',
    ],
    ['where that is turned off', [{ events: 3, failure: LOST }], { resume: false }, 'UNAVAILABLE'],
    [
      'where nothing is tried again',
      [{ events: 3, failure: LOST }],
      { retry: false },
      'UNAVAILABLE',
    ],
  ];
  for (const [why, plans, options, expected] of refused) {
    test(`ends ${why}`, async () => {
      const engine = new LosingEngine(plans);
      const stream = connect(engine, options).client.generateStream(REQUEST);
      const { events, code } = await readToEnd(stream);
      assert.deepEqual([events.length, code, engine.inputs.length], [3, expected, 1]);
    });
  }

  test('ends with its deadline, its signal and its client', async () => {
    const plans = [{ events: 3, failure: LOST }, ...Array(50).fill({ events: 0, failure: LOST })];
    const { client, clock } = connect(new LosingEngine(plans));
    const late = await readToEnd(client.generateStream(REQUEST, { timeoutMs: 3_000 }));
    assert.equal(late.code, 'UNAVAILABLE');
    assert.ok(clock.now() < 3_000);
    const controller = new AbortController();
    const abandoning = connect(new LosingEngine(plans), {
      retry: { clock: { now: () => 0, sleep: async () => controller.abort() } },
    });
    const { signal } = controller;
    const cancelled = await readToEnd(abandoning.client.generateStream(REQUEST, { signal }));
    assert.equal(cancelled.code, 'CANCELLED');
    const closing = connect(new LosingEngine(plans), {
      retry: { clock: { now: () => 0, sleep: async () => closing.client.close() } },
    });
    const closed = await readToEnd(closing.client.generateStream(REQUEST));
    assert.equal(closed.code, 'CANCELLED');
  });

  test('is DATA_LOSS where a server begins anew or goes on with something else', async () => {
    const forgetful = new LosingEngine([{ events: 3, failure: LOST }]);
    const { generate } = forgetful;
    forgetful.generate = (input) => generate.call(forgetful, { ...input, resumption: undefined });
    const again = await readToEnd(connect(forgetful).client.generateStream(REQUEST));
    assert.deepEqual([again.events.length, again.code], [3, 'DATA_LOSS']);
    const other = new LosingEngine([{ events: 3, failure: LOST }]);
    other.generate = (input) =>
      generate.call(other, {
        ...input,
        sampling: { ...input.sampling, seed: other.inputs.length },
      });
    const changed = await readToEnd(connect(other).client.generateStream(REQUEST));
    assert.deepEqual([changed.events.length, changed.code], [3, 'DATA_LOSS']);
    const successor = new LosingEngine([{ events: 3, failure: LOST }]);
    successor.generate = async function* (input) {
      for await (const event of generate.call(successor, input)) {
        const model = `model ${successor.inputs.length}`;
        yield event.kind === 'accepted' ? { ...event, model } : event;
      }
    };
    const exchanged = await readToEnd(connect(successor).client.generateStream(REQUEST));
    assert.deepEqual([exchanged.events.length, exchanged.code], [3, 'DATA_LOSS']);
  });

  test('stays ended that somebody has aborted by its name', async () => {
    const aborted = new CountingEngine();
    let calls = 0;
    aborted.generate = async function* ({ requestId }) {
      calls += 1;
      yield { kind: 'accepted', requestId, promptTokens: 2, seed: 1 };
      yield { ...COMPLETE, finishReason: 'abort' };
      throw LOST;
    };
    const stream = connect(aborted).client.generateStream({ ...REQUEST, n: 2 });
    assert.equal((await readToEnd(stream)).code, 'UNAVAILABLE');
    assert.equal(calls, 1);
  });
});
