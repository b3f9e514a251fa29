import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { suite, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { RpcError, type StepRecord } from '../../services/client/index.ts';
import type { ConsoleEvent, StepsEvent } from '../../services/console/events.ts';
import { ConsoleFeed } from '../../services/gateway/console/console-feed.ts';
import { ConsoleViewer, consoleFrame } from '../../services/gateway/console/console-viewer.ts';
import { StepFrames } from '../../services/gateway/console/step-frames.ts';
import { startGateway } from '../gateway/make-gateway.ts';
import { StandInEngine, until } from '../gateway/stand-in-engine.ts';
import { makeEnd, makePart, makeSnapshot, makeStep } from './made-telemetry.ts';

/** Steps that a test hands out, to every watch that is open. */
class StepSource {
  readonly #wake = new Set<() => void>();
  readonly #records: StepRecord[] = [];

  push(...records: readonly StepRecord[]): void {
    this.#records.push(...records);
    for (const wake of this.#wake) wake();
  }

  async *read(signal: AbortSignal): AsyncGenerator<StepRecord> {
    for (let at = this.#records.length; ; ) {
      while (at < this.#records.length) yield this.#records[at++]!;
      if (signal.aborted) throw RpcError.fromAbort(signal.reason);
      await new Promise<void>((resolve) => {
        this.#wake.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#wake.clear();
    }
  }
}

/** One who reads all that the gateway sends. */
async function look(t: TestContext, url: string) {
  const request = httpGet(`${url}/console/events`);
  t.after(() => request.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const events: ConsoleEvent[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    const frames = text.split('\n\n');
    text = frames.pop()!;
    for (const frame of frames) events.push(JSON.parse(frame.replace('data: ', '')));
  });
  response.on('error', () => {});
  const kinds = (): string[] => events.map(({ kind }) => kind);
  const steps = () => events.filter((event): event is StepsEvent => event.kind === 'steps');
  return { events, kinds, steps, leave: () => request.destroy() };
}

async function startWatched(t: TestContext) {
  const engine = new StandInEngine();
  const source = new StepSource();
  engine.snapshot = makeSnapshot();
  engine.steps = (signal) => source.read(signal);
  return { engine, source, ...(await startGateway(t, engine)) };
}

suite('the feed of the console', () => {
  test('watches the engine once for all viewers, and only while there are any', async (t) => {
    const { engine, source, url } = await startWatched(t);
    assert.equal(engine.watchers, 0);
    const first = await look(t, url);
    await until('a snapshot', () => first.kinds().includes('snapshot'));
    const second = await look(t, url);
    await until('a snapshot', () => second.kinds().includes('snapshot'));
    assert.equal(engine.watchers, 1);
    source.push(makeStep(1, { ended: [makeEnd('a')] }));
    for (const { steps, events } of [first, second]) {
      await until('the step', () => steps().length > 0);
      assert.equal(events[0]!.kind, 'hello');
      assert.deepEqual(
        steps().flatMap((event) => event.steps.map(({ step }) => step)),
        [1],
      );
    }
    const third = await look(t, url);
    await until('the greeting', () => third.events.length > 0);
    const [hello] = third.events;
    assert.ok(hello?.kind === 'hello');
    assert.deepEqual(
      hello.ended.map(({ requestId }) => requestId),
      ['a'],
    );
    first.leave();
    second.leave();
    third.leave();
    await until('the end of the watch', () => engine.watchers === 0);
  });

  test('says that the engine is away, and goes on when it is back', async (t) => {
    const { engine, source, url } = await startWatched(t);
    engine.snapshot = new RpcError('UNAVAILABLE', 'nobody is there');
    const { events, kinds, steps } = await look(t, url);
    await until('it is away', () => kinds().includes('away'));
    assert.deepEqual(events.at(-1), { kind: 'away', message: 'nobody is there' });
    engine.snapshot = makeSnapshot();
    await until('it is back', () => kinds().includes('snapshot'));
    await until('it is watched', () => engine.watchers === 1);
    source.push(makeStep(1));
    await until('a step', () => steps().length === 1);
  });

  test('ends with its gateway', async (t) => {
    const { engine, gateway, url } = await startWatched(t);
    const { kinds } = await look(t, url);
    await until('a snapshot', () => kinds().includes('snapshot'));
    await gateway.close();
    await until('the end of the watch', () => engine.watchers === 0);
  });

  test('turns away who would be one too many', (t) => {
    const feed = new ConsoleFeed({
      telemetry: new StandInEngine().telemetry,
      model: 'm',
      version: '0',
    });
    const viewers = Array.from({ length: 64 }, () => new ConsoleViewer({ write: () => undefined }));
    t.after(() => {
      for (const viewer of viewers) feed.leave(viewer);
    });
    for (const viewer of viewers) feed.join(viewer);
    const another = new ConsoleViewer({ write: () => undefined });
    assert.throws(() => feed.join(another), { status: 503 });
    feed.leave(viewers[0]!);
    feed.join(another);
    feed.leave(another);
  });
});

test('who is slow loses steps, is told how many, and holds up nobody', async () => {
  const written: string[] = [];
  let drain = () => {};
  let isFull = false;
  const drained = new Promise<void>((resolve) => {
    drain = resolve;
  });
  const slow = new ConsoleViewer({
    write: (text) => {
      written.push(text);
      return isFull ? drained : undefined;
    },
  });
  const frame = (...steps: number[]) => {
    const frames: StepsEvent[] = [];
    const gather = new StepFrames((event) => frames.push(event));
    for (const step of steps) gather.take(makeStep(step));
    gather.clear();
    return consoleFrame({ ...frames[0]!, steps: steps.map(() => frames[0]!.steps[0]!) });
  };
  isFull = true;
  slow.send(frame(1));
  slow.send(frame(2, 3));
  slow.send(frame(4));
  assert.equal(written.length, 1);
  isFull = false;
  drain();
  await drained;
  await Promise.resolve();
  slow.send(frame(5));
  assert.equal(written.length, 2);
  assert.ok(written[1]!.startsWith('data: {"kind":"lost","steps":3}\n\ndata: {"kind":"steps"'));
  slow.send(frame(6));
  assert.doesNotMatch(written[2]!, /lost","steps/);
});

test('steps are gathered: the first goes out at once, and each goes out once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 5 }), { minLength: 2, maxLength: 100 }),
      async (sizes) => {
        const events: StepsEvent[] = [];
        const frames = new StepFrames((event) => events.push(event));
        for (const [step, size] of sizes.entries()) {
          const sequences = Array.from({ length: size }, (_, i) =>
            makePart(`r${i}`, i % 2 === 0 ? { phase: 'prefill', tokens: 7 } : {}),
          );
          frames.take(makeStep(step, { sequences, preemptions: 1, lost: 2 }));
          assert.equal(events.length, 1);
        }
        await until('the rest', () => events.length === 2);
        const bars = events.flatMap(({ steps }) => steps);
        assert.deepEqual(
          bars.map(({ step, sequences }) => [step, sequences]),
          sizes.map((size, step) => [step, size]),
        );
        for (const { sequences, prefillTokens, decodeTokens } of bars) {
          assert.equal(prefillTokens, 7 * Math.ceil(sequences / 2));
          assert.equal(decodeTokens, Math.floor(sequences / 2));
        }
        const total = (of: 'preemptions' | 'lost') =>
          events.reduce((sum, event) => sum + event[of], 0);
        assert.equal(total('preemptions'), sizes.length);
        assert.equal(total('lost'), 2 * sizes.length);
        assert.equal(events[1]!.batch.length, sizes.at(-1));
      },
    ),
    { numRuns: 10 },
  );
});
