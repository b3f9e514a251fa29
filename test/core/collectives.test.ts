import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { chooseAlgorithm } from '../../services/core/collectives/algorithm.ts';
import { CHUNK_BYTES } from '../../services/core/collectives/chunks.ts';
import { DirectAllReduce } from '../../services/core/collectives/direct-all-reduce.ts';
import type { Exchange } from '../../services/core/collectives/frame.ts';
import { MulticastAllReduce } from '../../services/core/collectives/multicast-all-reduce.ts';
import { RowGather } from '../../services/core/collectives/row-gather.ts';
import { MAX_EXCHANGE_BYTES, scheduleStages } from '../../services/core/collectives/schedule.ts';
import { Staging } from '../../services/core/collectives/staging.ts';
import { accumulateTree } from '../../services/core/collectives/tree.ts';
import { planStep } from '../../services/core/model/step-plan.ts';
import { makeRandom } from '../support/checkpoint-files.ts';
import { LossyNetwork, makeFrame } from './lossy-network.ts';
import { makeConfig } from './model-configs.ts';

const CHUNK_FLOATS = CHUNK_BYTES / 4;

const arbitraryFaults = fc.record({
  dropPercent: fc.constantFrom(0, 5, 40),
  duplicatePercent: fc.constantFrom(0, 10, 40),
});

/** Lengths in floats; some are empty, some around one or several chunks of a slice. */
const arbitraryLength = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: CHUNK_FLOATS - 8, max: CHUNK_FLOATS + 8 }),
  fc.integer({ min: 1, max: 3 * CHUNK_FLOATS }),
);

const arbitraryCase = fc.record({
  ranks: fc.constantFrom(2, 4, 8),
  length: arbitraryLength,
  seed: fc.nat(),
  faults: arbitraryFaults,
});

/** Values of very different size, so that another order of adding gives other bits. */
function makeFloats(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, () => (random() - 0.5) * 2 ** Math.floor(random() * 24));
}

function bitsOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

/** The tree as it is written down, element by element: halves of halves, then the residual. */
function sumInTree(parts: readonly Float32Array[], residual: Float32Array): Float32Array {
  const sumAt = (some: readonly Float32Array[], i: number): number => {
    if (some.length === 1) return some[0]![i]!;
    const half = some.length / 2;
    return Math.fround(sumAt(some.slice(0, half), i) + sumAt(some.slice(half), i));
  };
  return residual.map((value, i) => Math.fround(value + sumAt(parts, i)));
}

interface AllReduceCase {
  readonly ranks: number;
  readonly length: number;
  readonly seed: number;
  readonly faults: { readonly dropPercent: number; readonly duplicatePercent: number };
}

/** Runs an all-reduce on every rank; checks the bits of every rank's result, and that nothing came in twice. */
function checkAllReduce(
  { ranks, length, seed, faults }: AllReduceCase,
  make: (options: ConstructorParameters<typeof MulticastAllReduce>[0]) => Exchange,
): void {
  const random = makeRandom(seed);
  const partials = Array.from({ length: ranks }, () => makeFloats(length, random));
  const residual = makeFloats(length, random);
  const targets = partials.map(() => residual.slice());
  const exchanges = partials.map((partial, rank) =>
    make({ ranks, rank, partial, target: targets[rank]!, staging: new Staging() }),
  );
  const expected = sumInTree(
    partials.map((partial) => partial.slice()),
    residual,
  );
  const network = new LossyNetwork(exchanges, faults, random);
  network.run((_, exchange) => assert.equal(exchange.done, exchange.missing().length === 0));
  for (const target of targets) assert.deepEqual(bitsOf(target), bitsOf(expected));
  assert.ok([...network.accepted.values()].every((count) => count === 1));
  assert.equal(network.invalid, 0);
}

suite('all-reduce', () => {
  test('multicast gives every rank the bits of the tree, whatever the network does', () => {
    fc.assert(
      fc.property(arbitraryCase, (reduction) =>
        checkAllReduce(reduction, (options) => new MulticastAllReduce(options)),
      ),
      { numRuns: 60 },
    );
  });

  test('direct does so over any reducers', () => {
    const property = fc.property(arbitraryCase, fc.nat(), fc.nat(), (reduction, count, first) => {
      const { ranks } = reduction;
      const reducers = Array.from(
        { length: 1 + (count % ranks) },
        (_, index) => (first + index) % ranks,
      );
      checkAllReduce(reduction, (options) => new DirectAllReduce({ ...options, reducers }));
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('what does not belong is invalid and changes nothing', () => {
    const arbitraryFrame = fc.record({
      source: fc.nat({ max: 9 }),
      kind: fc.constantFrom(
        'partial' as const,
        'result' as const,
        'requestPartial' as const,
        'requestResult' as const,
      ),
      chunk: fc.nat({ max: 4 }),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    const property = fc.property(
      fc.array(arbitraryFrame, { maxLength: 20 }),
      fc.boolean(),
      fc.nat(),
      (frames, direct, seed) => {
        const reduction = {
          ranks: 4,
          length: 80,
          seed,
          faults: { dropPercent: 5, duplicatePercent: 5 },
        };
        checkAllReduce(reduction, (options) => {
          const exchange = direct
            ? new DirectAllReduce({ ...options, reducers: [1, 3] })
            : new MulticastAllReduce(options);
          // Whole payloads of the right length would be believed: 320 bytes, or 160 for a slice.
          const foreign = frames.filter(
            ({ source, payload }) =>
              source !== options.rank && payload.length !== 320 && payload.length !== 160,
          );
          for (const frame of foreign) {
            assert.equal(
              exchange.receive(makeFrame(frame), () => assert.fail()),
              'invalid',
            );
          }
          return exchange;
        });
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  test('a whole payload of a wrong kind, chunk or sender is invalid', () => {
    const options = () => ({
      ranks: 2,
      rank: 0,
      partial: new Float32Array(8),
      target: new Float32Array(8),
      staging: new Staging(),
    });
    const payload = new Uint8Array(32);
    const multicast = new MulticastAllReduce(options());
    const reducer = new DirectAllReduce({ ...options(), reducers: [0] });
    const other = new DirectAllReduce({ ...options(), reducers: [1] });
    const receive = (exchange: Exchange, frame: Partial<Parameters<typeof makeFrame>[0]>): string =>
      exchange.receive(makeFrame({ source: 1, kind: 'partial', chunk: 0, payload, ...frame }), () =>
        assert.fail(),
      );
    assert.equal(receive(multicast, { kind: 'result' }), 'invalid');
    assert.equal(receive(multicast, { chunk: 1 }), 'invalid');
    assert.equal(receive(multicast, { source: 2 }), 'invalid');
    assert.equal(receive(reducer, { kind: 'result' }), 'invalid');
    assert.equal(receive(other, { kind: 'partial' }), 'invalid');
    assert.equal(receive(other, { kind: 'result', chunk: 1 }), 'invalid');
    assert.equal(multicast.done || reducer.done || other.done, false);
  });

  test('the tree of eight starts with neighbours', () => {
    const parts = [2 ** 24, 1, 1, 1, -(2 ** 24), 1, 0.5, 0.25].map((value) =>
      Float32Array.of(value),
    );
    const target = Float32Array.of(1);
    accumulateTree(parts, target);
    // (2^24 + 1 → 2^24) + 2, and (−2^24 + 1) + 0.75 → −16777214 (ties to even in f32).
    const expected = Math.fround(2 ** 24 + 2 + Math.fround(-(2 ** 24) + 1 + 0.75)) + 1;
    assert.equal(target[0], expected);
  });

  test('every size has an algorithm whose reducers are ranks, and every rank gets its turn', () => {
    const property = fc.property(
      fc.constantFrom(1, 2, 4, 8),
      fc.integer({ min: 4, max: MAX_EXCHANGE_BYTES }),
      (ranks, bytes) => {
        const reducers = new Set<number>();
        for (let exchange = 0; exchange < ranks; exchange++) {
          const algorithm = chooseAlgorithm(ranks, bytes, exchange);
          if (algorithm.kind === 'multicast') return;
          assert.equal(new Set(algorithm.reducers).size, algorithm.reducers.length);
          for (const reducer of algorithm.reducers) reducers.add(reducer);
        }
        assert.deepEqual(
          [...reducers].sort(),
          Array.from({ length: ranks }, (_, rank) => rank),
        );
      },
    );
    fc.assert(property);
  });
});

suite('row gather', () => {
  test('gives every rank every row, whatever the network does', () => {
    const property = fc.property(
      fc.constantFrom(2, 4, 8),
      fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 3000 }),
      fc.boolean(),
      fc.nat(),
      arbitraryFaults,
      (ranks, numbers, stride, lockstep, seed, faults) => {
        const random = makeRandom(seed);
        const owners = numbers.map((number) => number % ranks);
        const rows = owners.map(() => makeFloats(stride, random));
        const targets = Array.from({ length: ranks }, (_, rank) => {
          const target = new Float32Array(owners.length * stride);
          rows.forEach((row, index) => {
            if (owners[index] === rank) target.set(row, index * stride);
          });
          return target;
        });
        const exchanges = targets.map(
          (target, rank) => new RowGather({ ranks, rank, owners, target, stride, lockstep }),
        );
        const network = new LossyNetwork(exchanges, faults, random);
        network.run((_, exchange) => assert.equal(exchange.done, exchange.missing().length === 0));
        for (const target of targets) {
          rows.forEach((row, index) => {
            const copy = target.subarray(index * stride, (index + 1) * stride);
            assert.deepEqual(bitsOf(copy), bitsOf(row));
          });
        }
        assert.ok([...network.accepted.values()].every((count) => count === 1));
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  test('in lockstep a rank waits for those without a row', () => {
    const options = { ranks: 2, owners: [0, 0], stride: 4, target: new Float32Array(8) };
    assert.equal(new RowGather({ ...options, rank: 0, lockstep: false }).done, true);
    assert.equal(new RowGather({ ...options, rank: 0, lockstep: true }).done, false);
  });
});

suite('the schedule of a step', () => {
  test('the pieces of every collective cover all rows once, in order, within the bound', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 9000 }),
      fc.integer({ min: 1, max: 4096 }),
      fc.integer({ min: 1, max: 4 }),
      (rows, stride, layers) => {
        const plan = planStep(makeConfig({ layers }));
        const stages = scheduleStages(plan, rows, stride);
        const exchanges = stages.flatMap((stage) =>
          stage.kind === 'exchange' ? [stage.exchange] : [],
        );
        assert.deepEqual(
          exchanges.map(({ index }) => index),
          exchanges.map((_, index) => index),
        );
        for (const stage of plan) {
          if (stage.kind === 'segment') continue;
          const pieces = exchanges.filter(
            ({ operation, layer }) => operation === stage.operation && layer === stage.layer,
          );
          let next = 0;
          for (const { rows: piece, split } of pieces) {
            assert.equal(piece.start, next);
            assert.equal(split, pieces.length > 1);
            const bytes = (piece.end - piece.start) * stride * 4;
            assert.ok(piece.end > piece.start && bytes <= MAX_EXCHANGE_BYTES);
            next = piece.end;
          }
          assert.equal(next, rows);
        }
        assert.deepEqual(
          stages.filter(({ kind }) => kind === 'segment'),
          plan.filter(({ kind }) => kind === 'segment'),
        );
      },
    );
    fc.assert(property, { numRuns: 100 });
  });
});
