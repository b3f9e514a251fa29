import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from '../../services/core/scheduler/fair-queue.ts';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import { Scheduler } from '../../services/core/scheduler/scheduler.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSequence } from '../support/scheduled-sequence.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';
import { NaiveFairQueue } from './naive-fair-queue.ts';

const PROMPT = 10;
const OUTPUT = 5;
/** Weighted tokens of one request. */
const COST = PROMPT + 2 * OUTPUT;

/** Serves `steps` steps, one sequence at a time, with every client's requests as `refill` keeps them. */
function serve(
  steps: number,
  refill: (step: number, add: (client: string) => void) => void,
  onService: (step: number, clientId: string, cost: number) => void = () => {},
): Map<string, number> {
  const scheduler = new Scheduler(
    makeSchedulerOptions({ schedulingPolicy: 'fair', maxNumSeqs: 1, enablePrefixCaching: false }),
  );
  const served = new Map<string, number>();
  const promptTokens = new Array<number>(PROMPT).fill(1);
  for (let step = 0; step < steps; step++) {
    refill(step, (clientId) => {
      const request = makeGenerationRequest({ promptTokens, maxTokens: OUTPUT, clientId });
      assert.equal(scheduler.add(request, step).kind, 'queued');
    });
    const scheduled = scheduler.schedule(step);
    if (scheduled === undefined) continue;
    for (const { sequence, admitted } of scheduled.sequences) {
      const { clientId } = sequence.request;
      const cost = (admitted ? PROMPT : 0) + 2;
      served.set(clientId, (served.get(clientId) ?? 0) + cost);
      onService(step, clientId, cost);
    }
    scheduler.complete(
      scheduled.sequences.map(() => ({ token: 3, logprobs: undefined })),
      step,
    );
  }
  return served;
}

suite('fairness between clients', () => {
  test('clients that always have requests get the same service, however many they send', () => {
    const served = serve(400, (step, add) => {
      if (step % 40 === 0) for (let i = 0; i < 20; i++) add('eager');
      if (step % 5 === 0) add('modest');
    });
    const gap = Math.abs(served.get('eager')! - served.get('modest')!);
    assert.ok(gap <= 2 * COST, `the gap is ${gap}`);
  });

  test('nothing is left idle for a client that has no requests', () => {
    const served = serve(100, (step, add) => {
      if (step === 0) for (let i = 0; i < 20; i++) add('only');
    });
    assert.equal(served.get('only'), 20 * COST);
  });

  test('a client that was idle gets its share from then on, and nothing for before', () => {
    const served = serve(600, (step, add) => {
      if (step % 5 === 0) add('constant');
      if (step >= 300 && step % 5 === 0) add('late');
    });
    const share = served.get('late')!;
    assert.ok(Math.abs(share - (300 / 5 / 2) * COST) <= 2 * COST, `it got ${share}`);
  });

  test('a client that comes back after a long time has saved nothing up', () => {
    const served = serve(600, (step, add) => {
      if (step % 5 === 0) add('constant');
      if (step === 0 || (step >= 300 && step % 5 === 0)) add('returning');
    });
    const share = served.get('returning')!;
    assert.ok(Math.abs(share - (300 / 5 / 2 + 1) * COST) <= 2 * COST, `it got ${share}`);
  });

  test('who was served alone is not starved by one that comes back', () => {
    const served = new Map<string, number>();
    serve(
      1200,
      (step, add) => {
        if (step % 5 === 0) add('busy');
        if (step === 0 || (step >= 600 && step % 5 === 0)) add('returning');
      },
      (step, clientId, cost) => {
        if (step >= 600) served.set(clientId, (served.get(clientId) ?? 0) + cost);
      },
    );
    const gap = Math.abs(served.get('busy')! - served.get('returning')!);
    assert.ok(gap <= 2 * COST, `the gap is ${gap}`);
  });

  test('clients come in order of arrival within themselves, and the preempted come first', () => {
    const scheduler = new Scheduler(
      makeSchedulerOptions({ schedulingPolicy: 'fair', kvBlocks: 4, blockSize: 4 }),
    );
    const promptTokens = [1, 2, 3, 4, 5, 6, 7];
    const add = (clientId: string, cacheSalt: string) =>
      scheduler.add(makeGenerationRequest({ promptTokens, maxTokens: 6, clientId, cacheSalt }), 0);
    const admissions = [add('a', '1'), add('a', '2'), add('a', '3')];
    const [first, second, third] = admissions.map((admission) =>
      admission.kind === 'queued' ? admission.sequences[0]! : assert.fail(),
    );
    for (let step = 0; first!.state !== 'ended'; step++) {
      const { sequences } = scheduler.schedule(step)!;
      scheduler.complete(
        sequences.filter(({ sample }) => sample).map(() => ({ token: 9, logprobs: undefined })),
        step,
      );
    }
    assert.equal(second!.preemptions, 1);
    assert.equal(scheduler.schedule(99)!.sequences[0]!.sequence, second);
    assert.equal(third!.state, 'waiting');
  });

  test('the next is the one that a look at every client finds, whoever comes, goes and is served', () => {
    const arbitraryAction = fc.record({
      kind: fc.constantFrom(
        'arrive',
        'arrive',
        'admit',
        'admit',
        'token',
        'token',
        'preempt',
        'end',
        'cancel',
      ),
      number: fc.nat({ max: 30 }),
    });
    const property = fc.property(
      fc.array(arbitraryAction, { maxLength: 120, size: 'max' }),
      (actions) => {
        const pair = new QueuePair();
        for (const { kind, number } of actions) pair[kind as 'arrive'](number);
        pair.drain();
      },
    );
    fc.assert(property, { numRuns: 400 });
  });
});

/** A queue and its oracle, told the same. */
class QueuePair {
  readonly #queue = new FairQueue();
  readonly #naive = new NaiveFairQueue();
  readonly #waiting: Sequence[] = [];
  readonly #running: Sequence[] = [];

  arrive(number: number): void {
    const request = { promptTokens: [1, 2, 3].slice(number % 3), clientId: `${number % 7}` };
    const sequence = makeSequence({ request: makeGenerationRequest(request) });
    this.#wait(sequence, 'push');
  }

  admit(): void {
    const sequence = this.#check();
    if (sequence === undefined) return;
    this.#leave(sequence);
    this.#running.push(sequence);
    this.#queue.chargePrompt(sequence);
    this.#naive.charge(sequence.request.clientId, sequence.request.promptTokens.length);
    this.#check();
  }

  token(number: number): void {
    const sequence = this.#running[number % this.#running.length];
    if (sequence === undefined) return;
    this.#queue.chargeToken(sequence);
    this.#naive.charge(sequence.request.clientId, 2);
    this.#check();
  }

  preempt(number: number): void {
    const [sequence] = this.#running.splice(number % this.#running.length, 1);
    if (sequence !== undefined) this.#wait(sequence, 'pushBack');
  }

  end(number: number): void {
    this.#running.splice(number % this.#running.length, 1);
  }

  cancel(number: number): void {
    const sequence = this.#waiting[number % this.#waiting.length];
    if (sequence !== undefined) this.#leave(sequence);
    this.#check();
  }

  drain(): void {
    while (this.#check() !== undefined) this.admit();
    assert.equal(this.#queue.size, 0);
  }

  #wait(sequence: Sequence, kind: 'push' | 'pushBack'): void {
    this.#queue[kind](sequence);
    this.#naive[kind](sequence);
    this.#waiting.push(sequence);
    this.#check();
  }

  #leave(sequence: Sequence): void {
    this.#queue.remove(sequence);
    this.#naive.remove(sequence);
    this.#waiting.splice(this.#waiting.indexOf(sequence), 1);
  }

  #check(): Sequence | undefined {
    assert.equal(this.#queue.size, this.#waiting.length);
    assert.equal(this.#queue.peek(), this.#naive.peek());
    return this.#queue.peek();
  }
}
