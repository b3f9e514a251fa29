import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type DropReason, ExchangeRunner } from '../../services/cluster/exchange-runner.ts';
import { DirectAllReduce } from '../../services/core/collectives/direct-all-reduce.ts';
import type { Destination, Exchange, ShardFrame } from '../../services/core/collectives/frame.ts';
import { MulticastAllReduce } from '../../services/core/collectives/multicast-all-reduce.ts';
import type { ScheduledExchange } from '../../services/core/collectives/schedule.ts';
import { Staging } from '../../services/core/collectives/staging.ts';
import { decodeFrame, encodeFrame } from '../../services/wire/frame-codec.ts';
import { makeRandom } from '../support/checkpoint-files.ts';
import { type FaultRates, FrameFaults } from './faulty-network.ts';

const LENGTH = 16;

/** A chip that does nothing but all-reduces, each over the result of the one before. */
class Reducer {
  readonly runner: ExchangeRunner;
  readonly sent: { readonly frame: ShardFrame; readonly destination: Destination }[] = [];
  readonly hidden = new Float32Array(LENGTH);
  readonly #partials = [new Float32Array(LENGTH), new Float32Array(LENGTH)] as const;
  readonly #staging = new Staging();
  readonly #rank: number;
  readonly #ranks: number;
  readonly #exchanges: number;
  done = 0;

  constructor(options: {
    readonly rank: number;
    readonly ranks: number;
    readonly exchanges: number;
  }) {
    this.#rank = options.rank;
    this.#ranks = options.ranks;
    this.#exchanges = options.exchanges;
    this.runner = new ExchangeRunner({
      rank: options.rank,
      ranks: options.ranks,
      send: (frame, destination) => {
        this.sent.push({ frame: { ...frame, payload: frame.payload.slice() }, destination });
      },
      finished: () => {
        this.done++;
      },
    });
    this.runner.beginEpoch(1);
    this.runner.beginStep(1);
  }

  get finished(): boolean {
    return this.done === this.#exchanges;
  }

  /** Begins what comes next, where the last one is done. */
  advance(): void {
    for (let next = this.done; next < this.#exchanges; next++) {
      this.runner.begin(scheduled(next), this.#exchange(next));
      if (this.done === next) return;
    }
  }

  #exchange(index: number): Exchange {
    const partial = this.#partials[index % 2]!;
    for (let i = 0; i < LENGTH; i++) partial[i] = partialValue(this.#rank, index, i);
    const options = {
      ranks: this.#ranks,
      rank: this.#rank,
      partial,
      target: this.hidden,
      staging: this.#staging,
    };
    if (index % 3 === 0) return new MulticastAllReduce(options);
    return new DirectAllReduce({ ...options, reducers: [index % this.#ranks] });
  }
}

function scheduled(index: number): ScheduledExchange {
  const operation = index % 2 === 0 ? 'attention' : 'mlp';
  return { index, operation, layer: index >> 1, rows: { start: 0, end: 1 }, split: false };
}

function partialValue(rank: number, exchange: number, i: number): number {
  return Math.fround(Math.sin(rank * 31 + exchange * 7 + i) * 2 ** (rank % 3));
}

function frameOf(fields: Partial<ShardFrame> = {}): ShardFrame {
  return {
    epoch: 1,
    step: 1,
    exchange: 0,
    layer: 0,
    operation: 'attention',
    kind: 'partial',
    source: 1,
    chunk: 0,
    modelledBytes: 0,
    payload: new Uint8Array(4 * LENGTH),
    ...fields,
  };
}

function makePair(): Reducer {
  const reducer = new Reducer({ rank: 0, ranks: 2, exchanges: 9 });
  reducer.advance();
  return reducer;
}

suite('the exchange runner', () => {
  test('drops what does not belong, with the reason', () => {
    const refused: [Partial<ShardFrame>, DropReason][] = [
      [{ epoch: 0 }, 'stale'],
      [{ epoch: 2 }, 'stale'],
      [{ step: 0 }, 'stale'],
      [{ step: 3 }, 'unexpected'],
      [{ exchange: 3 }, 'unexpected'],
      [{ step: 2, exchange: 2 }, 'unexpected'],
      [{ source: 0 }, 'unexpected'],
      [{ source: 2 }, 'unexpected'],
      [{ layer: 1 }, 'unexpected'],
      [{ operation: 'mlp' }, 'unexpected'],
      [{ kind: 'result' }, 'unexpected'],
      [{ chunk: 1 }, 'unexpected'],
      [{ payload: new Uint8Array(60) }, 'unexpected'],
      [{ exchange: 1, payload: new Uint8Array(9 * 1024 * 1024) }, 'overflow'],
    ];
    const reducer = makePair();
    assert.deepEqual(
      refused.map(([fields]) => reducer.runner.receive(frameOf(fields))),
      refused.map(([, reason]) => reason),
    );
    assert.equal(reducer.done, 0);
    assert.equal(reducer.runner.receive(frameOf()), undefined);
    assert.equal(reducer.done, 1);
    assert.equal(reducer.runner.receive(frameOf()), 'stale');
  });

  test('a chunk that comes twice is a duplicate', () => {
    const reducer = new Reducer({ rank: 0, ranks: 4, exchanges: 1 });
    reducer.advance();
    assert.equal(reducer.runner.receive(frameOf({ source: 2 })), undefined);
    assert.equal(reducer.runner.receive(frameOf({ source: 2 })), 'duplicate');
    assert.equal(reducer.done, 0);
  });

  test('holds a copy of what comes too early', () => {
    const reducer = makePair();
    const values = new Float32Array(LENGTH).fill(3);
    const payload = new Uint8Array(values.slice().buffer);
    const early = { exchange: 1, operation: 'mlp', kind: 'result', payload } as const;
    assert.equal(reducer.runner.receive(frameOf(early)), undefined);
    payload.fill(0xff);
    reducer.runner.receive(frameOf());
    assert.equal(reducer.done, 1);
    reducer.advance();
    assert.equal(reducer.done, 2);
    assert.deepEqual(reducer.hidden, values);
  });

  test('answers peers that miss a chunk of a recent exchange, and asks for what it misses', () => {
    const reducer = makePair();
    const first = reducer.sent[0]!.frame;
    reducer.sent.length = 0;
    assert.equal(reducer.runner.requestMissing(), true);
    assert.deepEqual(
      reducer.sent.map(({ frame, destination }) => [frame.kind, frame.chunk, destination]),
      [['requestPartial', 0, 1]],
    );
    reducer.runner.receive(frameOf());
    assert.equal(reducer.runner.requestMissing(), false);
    reducer.sent.length = 0;
    const request = frameOf({ kind: 'requestPartial', payload: new Uint8Array(0) });
    assert.equal(reducer.runner.receive(request), undefined);
    assert.deepEqual(reducer.sent, [{ frame: first, destination: 1 }]);
    for (const unknown of [
      { exchange: 5 },
      { chunk: 4 },
      { step: 9 },
      { kind: 'requestResult' },
    ] as const) {
      assert.equal(reducer.runner.receive({ ...request, ...unknown }), undefined);
    }
    assert.equal(reducer.sent.length, 1);
  });

  test('a new epoch forgets the old one', () => {
    const reducer = makePair();
    reducer.runner.receive(frameOf({ exchange: 1, operation: 'mlp' }));
    reducer.runner.beginEpoch(2);
    assert.equal(reducer.runner.requestMissing(), false);
    assert.equal(reducer.runner.receive(frameOf()), 'stale');
    assert.equal(reducer.runner.receive(frameOf({ epoch: 2, step: 1 })), undefined);
  });

  test('a chain of exchanges has the bits of the tree on every chip, whatever happens to frames', () => {
    const rate = fc.integer({ min: 0, max: 10 });
    const arbitraryRates: fc.Arbitrary<FaultRates> = fc.record({
      corrupt: rate,
      truncate: rate,
      replace: rate,
      duplicate: rate,
      delay: rate,
      drop: rate,
    });
    const property = fc.property(
      fc.constantFrom(2, 4, 8),
      fc.integer({ min: 1, max: 12 }),
      arbitraryRates,
      fc.nat(),
      (ranks, exchanges, rates, seed) => {
        const chips = Array.from(
          { length: ranks },
          (_, rank) => new Reducer({ rank, ranks, exchanges }),
        );
        runChips(chips, new FrameFaults(rates, makeRandom(seed)), makeRandom(seed + 1));
        const expected = expectedHidden(ranks, exchanges);
        for (const { hidden } of chips) assert.deepEqual(hidden, expected);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});

/** Delivers in random order what the faults leave; asks for what is missing when nothing is on its way. */
function runChips(chips: readonly Reducer[], faults: FrameFaults, random: () => number): void {
  for (const chip of chips) chip.advance();
  const onTheWay: { readonly data: Uint8Array; readonly rank: number }[] = [];
  for (let rounds = 0; !chips.every(({ finished }) => finished); rounds++) {
    assert.ok(rounds < 100_000, 'the chips finish');
    chips.forEach((chip, source) => {
      for (const { frame, destination } of chip.sent.splice(0)) {
        chips.forEach((_, rank) => {
          if (destination === 'all' ? rank === source : rank !== destination) return;
          for (const { data } of faults.apply(encodeFrame(frame))) onTheWay.push({ data, rank });
        });
      }
    });
    const index = Math.floor(random() * onTheWay.length);
    const [message] = onTheWay.splice(index, 1);
    if (message === undefined) {
      for (const { runner } of chips) runner.requestMissing();
      continue;
    }
    const decoded = decodeFrame(message.data);
    const chip = chips[message.rank]!;
    if (decoded.kind !== 'frame') continue;
    const before = chip.done;
    chip.runner.receive(decoded.frame);
    if (chip.done > before) chip.advance();
  }
}

function expectedHidden(ranks: number, exchanges: number): Float32Array {
  const hidden = new Float32Array(LENGTH);
  for (let exchange = 0; exchange < exchanges; exchange++) {
    for (let i = 0; i < LENGTH; i++) {
      let sums = Array.from({ length: ranks }, (_, rank) => partialValue(rank, exchange, i));
      while (sums.length > 1) {
        sums = sums.flatMap((sum, index) =>
          index % 2 === 0 ? [Math.fround(sum + sums[index + 1]!)] : [],
        );
      }
      hidden[i] = hidden[i]! + sums[0]!;
    }
  }
  return hidden;
}
