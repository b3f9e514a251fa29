import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { JournalRecord } from '../../services/cluster/journal.ts';
import { RequestLedger, readJournal } from '../../services/cluster/request-ledger.ts';
import { createSequence, type Sequence } from '../../services/core/scheduler/request.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';

interface Bench {
  readonly records: JournalRecord[];
  readonly accepted: string[];
  readonly ledger: RequestLedger;
}

function makeLedger(): Bench {
  const records: JournalRecord[] = [];
  const accepted: string[] = [];
  const journal = { recovered: [], append: (record: JournalRecord) => records.push(record) };
  const ledger = new RequestLedger(journal, (requestId) => accepted.push(requestId));
  return { records, accepted, ledger };
}

function makeSequences(requestId: string, n: number): Sequence[] {
  const request = makeGenerationRequest({ requestId, n, promptTokens: [1, 2] });
  return Array.from({ length: n }, (_, choice) =>
    createSequence({
      id: choice,
      request,
      choice,
      generated: [],
      nowMicros: 0,
      options: makeSchedulerOptions(),
    }),
  );
}

suite('a ledger of requests', () => {
  test('writes down what its reader finds, wherever the journal ends', () => {
    const arbitraryOperations = fc.array(
      fc.record({
        request: fc.nat({ max: 3 }),
        choice: fc.nat({ max: 1 }),
        kind: fc.constantFrom('draw', 'draw', 'draw', 'finish', 'cancel'),
        token: fc.nat({ max: 9 }),
      }),
    );
    const property = fc.property(arbitraryOperations, fc.nat(), (operations, cut) => {
      const { records, ledger } = makeLedger();
      const all = Array.from({ length: 4 }, (_, index) => makeSequences(`request-${index}`, 2));
      for (const sequences of all) ledger.accept(sequences[0]!.request, sequences);
      const expected: string[] = [];
      const open = new Map(all.flat().map((sequence) => [sequence, [] as number[]]));
      const note = (): void => {
        const samples = [...open].map(
          ([{ request, choice }, tokens]) => `${request.requestId}.${choice}:${tokens}`,
        );
        expected[records.length] = samples.sort().join(' ');
      };
      note();
      for (const { request, choice, kind, token } of operations) {
        const sequence = all[request]![choice]!;
        if (kind === 'cancel') ledger.ended(sequence);
        else ledger.drawn(sequence, { token, logprobs: undefined }, kind === 'finish');
        if (kind === 'draw') open.get(sequence)?.push(token);
        else open.delete(sequence);
        note();
      }
      const length = 4 + (cut % (records.length - 3));
      const found = readJournal(records.slice(0, length)).requests.flatMap(
        ({ request, generated }) =>
          [...generated].map(([choice, tokens]) => `${request.requestId}.${choice}:${tokens}`),
      );
      assert.equal(found.sort().join(' '), expected[length]);
    });
    fc.assert(property);
  });

  test('accepts a request when its record is durable, and again when it comes again', () => {
    const { accepted, ledger } = makeLedger();
    const [first, second] = [makeSequences('first', 1), makeSequences('second', 1)];
    ledger.accept(first[0]!.request, first);
    ledger.accept(second[0]!.request, second);
    assert.deepEqual(ledger.find('first'), first);
    assert.deepEqual(accepted, []);
    ledger.durable(1);
    assert.deepEqual(accepted, ['first']);
    ledger.durable(2);
    assert.deepEqual(accepted, ['first', 'second']);
    assert.deepEqual(ledger.find('first'), first);
    assert.deepEqual(accepted, ['first', 'second', 'first']);
    ledger.ended(first[0]!);
    assert.equal(ledger.find('first'), undefined);
  });

  test('writes down where a request stands that another coordinator had begun', () => {
    const { accepted, records, ledger } = makeLedger();
    const [first, , third] = makeSequences('begun', 3);
    first!.tokens = [...first!.tokens, 7, 8];
    ledger.accept(first!.request, [first!, third!]);
    ledger.drawn(first!, { token: 9, logprobs: undefined }, false);
    const [open] = readJournal(records).requests;
    assert.deepEqual(
      [...open!.generated],
      [
        [0, [7, 8, 9]],
        [2, []],
      ],
    );
    ledger.durable(1);
    assert.deepEqual(accepted, [], 'not before its tokens are durable');
    ledger.durable(records.length);
    assert.deepEqual(accepted, ['begun']);
  });

  test('knows the last epoch, whatever came after it', () => {
    const records: JournalRecord[] = [
      { kind: 'epoch', epoch: 3 },
      { kind: 'accepted', request: makeGenerationRequest({ promptTokens: [1] }) },
    ];
    assert.equal(readJournal(records).lastEpoch, 3);
    assert.equal(readJournal([]).lastEpoch, 0);
  });
});
