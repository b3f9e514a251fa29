/**
 * One rank of `npm run bench:collectives`: takes part in all-reduces exactly as a chip does, with
 * nothing to compute in between.
 */
import assert from 'node:assert/strict';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { ExchangeRunner } from '../../services/cluster/exchange-runner.ts';
import { DirectAllReduce } from '../../services/core/collectives/direct-all-reduce.ts';
import type { Exchange } from '../../services/core/collectives/frame.ts';
import { MulticastAllReduce } from '../../services/core/collectives/multicast-all-reduce.ts';
import { Staging } from '../../services/core/collectives/staging.ts';
import { accumulateTree } from '../../services/core/collectives/tree.ts';
import { exitWithParent } from '../../services/runtime/process/exit-with-parent.ts';
import { decodeFrame, encodeFrame } from '../../services/wire/frame-codec.ts';
import { GroupSubjects } from '../../services/wire/subjects.ts';

/** Where a rank finds the others; its only argument, as JSON. */
export interface RankPlace {
  readonly nats: string;
  readonly group: string;
  readonly rank: number;
  readonly ranks: number;
}

/** Exchanges to run back to back, half of them as a warm-up. */
export interface CollectiveRun {
  readonly payloadBytes: number;
  /** Chips that reduce in each exchange; 0 is multicast. */
  readonly reducers: number;
  readonly iterations: number;
}

/** What a rank says: that it listens, then the mean time of an exchange after every run. */
export type RankNews =
  | { readonly kind: 'listening' }
  | { readonly kind: 'done'; readonly micros: number };

const EPOCH = 1;

class Rank {
  readonly #place: RankPlace;
  readonly #exchanges: ExchangeRunner;
  readonly #staging = new Staging();
  #step = 0;
  #run: CollectiveRun = { payloadBytes: 0, reducers: 0, iterations: 0 };
  /** Two, as a chip has one for attention and one for the MLP. */
  #partials: readonly Float32Array[] = [];
  #target = new Float32Array(0);
  #index = 0;
  #timedStart = 0;

  constructor(place: RankPlace, send: ConstructorParameters<typeof ExchangeRunner>[0]['send']) {
    this.#place = place;
    this.#exchanges = new ExchangeRunner({
      rank: place.rank,
      ranks: place.ranks,
      send,
      finished: () => queueMicrotask(() => this.#next()), // as a chip computes a segment
    });
    this.#exchanges.beginEpoch(EPOCH);
  }

  start(run: CollectiveRun): void {
    this.#run = run;
    this.#index = -1;
    this.#partials = partialsOf(this.#place.rank, run.payloadBytes);
    this.#target = new Float32Array(run.payloadBytes / 4);
    this.#exchanges.beginStep(++this.#step);
    this.#next();
  }

  receive(data: Uint8Array): void {
    const decoded = decodeFrame(data);
    assert(decoded.kind === 'frame', decoded.kind);
    const dropped = this.#exchanges.receive(decoded.frame);
    assert.equal(dropped, undefined, 'every frame is used');
  }

  #next(): void {
    const index = ++this.#index;
    const { iterations } = this.#run;
    if (index === iterations) this.#timedStart = performance.now();
    if (index === 2 * iterations) {
      this.#finish();
      return;
    }
    if (index === 2 * iterations - 1) this.#target.fill(0); // what comes last is checked
    const scheduled = {
      ...({ index, operation: 'attention', layer: 0, split: false } as const),
      rows: { start: 0, end: 1 },
    };
    this.#exchanges.begin(scheduled, this.#exchangeOf(index));
  }

  #exchangeOf(index: number): Exchange {
    const { rank, ranks } = this.#place;
    const partial = this.#partials[index % 2]!;
    const options = { ranks, rank, partial, target: this.#target, staging: this.#staging };
    const { reducers: count } = this.#run;
    if (count === 0) return new MulticastAllReduce(options);
    const reducers = Array.from({ length: count }, (_, i) => (index * count + i) % ranks);
    return new DirectAllReduce({ ...options, reducers });
  }

  #finish(): void {
    const micros = ((performance.now() - this.#timedStart) * 1000) / this.#run.iterations;
    const { payloadBytes } = this.#run;
    const parts = Array.from(
      { length: this.#place.ranks },
      (_, rank) => partialsOf(rank, payloadBytes)[1]!,
    );
    const expected = new Float32Array(payloadBytes / 4);
    accumulateTree(parts, expected);
    assert.deepEqual(bitsOf(this.#target), bitsOf(expected), 'the sums have the bits of the tree');
    tellParent({ kind: 'done', micros });
  }
}

/** What a rank contributes to even and to odd exchanges: sums that need rounding. */
function partialsOf(rank: number, payloadBytes: number): Float32Array[] {
  return [0, 1].map((parity) =>
    Float32Array.from({ length: payloadBytes / 4 }, (_, i) =>
      Math.sin(1 + i * 7 + rank * 131 + parity * 17),
    ),
  );
}

function bitsOf(floats: Float32Array): Buffer {
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
}

function tellParent(news: RankNews): void {
  process.send!(news);
}

exitWithParent();
const place = JSON.parse(process.argv[2]!) as RankPlace;
process.title = `sohu: bench rank ${place.rank}`;
const subjects = new GroupSubjects('bench', place.group);
const bus = await connectNats({ servers: place.nats, name: process.title, noEcho: true });
const rank = new Rank(place, (frame, destination) =>
  bus.publish(subjects.transfer(destination, place.rank), encodeFrame(frame)),
);
for (const destination of [place.rank, 'all'] as const) {
  bus.subscribe(subjects.transfersTo(destination), ({ data }) => rank.receive(data));
}
await bus.flush();
process.on('message', (run: CollectiveRun) => rank.start(run));
tellParent({ kind: 'listening' });
