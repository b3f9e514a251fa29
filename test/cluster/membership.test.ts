import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Membership } from '../../services/cluster/membership.ts';
import type { GroupSpec, Hello, Ready } from '../../services/cluster/messages.ts';
import { chooseSeats } from '../../services/cluster/seat-choice.ts';

const SPEC: GroupSpec = {
  ...{ model: 'model', precision: 'f32', kvCacheDtype: 'auto', tensorParallel: 2, blockSize: 4 },
  ...{ numGpuBlocksOverride: undefined, maxNumBatchedTokens: 8, maxNumSeqs: 2 },
};

function makeHello(seat: number, fields: Partial<Hello> = {}): Hello {
  return { kind: 'hello', seat, pid: 100 + seat, epoch: 0, metricsAddress: '', ...fields };
}

function makeReady(rank: number, epoch: number): Ready {
  const sizes = { kvBlocks: 8, weightBytes: 1, activationBytes: 1, kvBytesPerBlock: 1 };
  return { kind: 'ready', rank, epoch, ...sizes };
}

/** A group of two chips that are ready in its first epoch. */
function makeReadyGroup(lastEpoch = 0): Membership {
  const membership = new Membership(SPEC, { lastEpoch, nowMicros: 0 });
  membership.hello(makeHello(0), 0);
  assert.equal(membership.form(), false);
  membership.hello(makeHello(1), 0);
  assert.equal(membership.form(), true);
  const { epoch } = membership.raiseEpoch(0);
  for (const rank of [0, 1]) membership.ready(makeReady(rank, epoch));
  assert.ok(membership.allReady);
  return membership;
}

suite('seats of a group', () => {
  test('are those of chips that live, each once, and as many as can be', () => {
    const degrees = fc.constantFrom(1, 2, 4, 8);
    const property = fc.property(
      fc.uniqueArray(fc.nat({ max: 11 }), { maxLength: 12 }),
      fc.uniqueArray(fc.nat({ max: 11 }), { minLength: 8, maxLength: 8 }),
      degrees,
      degrees,
      (found, before, tensorParallel, size) => {
        const alive = found.toSorted((a, b) => a - b);
        const current = before.slice(0, size);
        const seats = chooseSeats({ current, alive, tensorParallel });
        if (seats === undefined) return assert.equal(alive.length, 0);
        assert.equal(new Set(seats).size, seats.length);
        assert.ok(seats.every((seat) => alive.includes(seat)));
        assert.equal(tensorParallel % seats.length, 0);
        assert.ok(seats.length === tensorParallel || 2 * seats.length > alive.length);
        if (seats.length !== current.length) return;
        for (const [rank, seat] of current.entries()) {
          if (alive.includes(seat)) assert.equal(seats[rank], seat);
        }
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });
});

suite('the membership of a group', () => {
  test('sees a new process in a seat by its number, or by the epoch that it does not know', () => {
    const membership = makeReadyGroup();
    assert.equal(membership.hello(makeHello(0, { epoch: 1 }), 0), false);
    assert.equal(membership.hello(makeHello(0, { epoch: 0 }), 0), true);
    assert.equal(membership.hello(makeHello(1, { pid: 7, epoch: 1 }), 0), true);
  });

  test('begins epochs above all that it has heard of', () => {
    const membership = makeReadyGroup(5);
    assert.equal(membership.epoch, 6);
    assert.equal(membership.isOvertaken, false);
    membership.hello(makeHello(1, { epoch: 9 }), 0);
    assert.equal(membership.isOvertaken, true);
    assert.equal(membership.raiseEpoch(0).epoch, 10);
  });

  test('takes no answer to another epoch', () => {
    const membership = makeReadyGroup();
    membership.raiseEpoch(0);
    for (const rank of [0, 1]) membership.ready(makeReady(rank, 1));
    assert.equal(membership.allReady, false);
  });

  test('gives up a chip only when it was silent for longer than patience, since it was asked', () => {
    const membership = makeReadyGroup();
    membership.raiseEpoch(1000);
    const at = (nowMicros: number): boolean =>
      membership.replaceSilent({ nowMicros, patienceMicros: 100 });
    membership.heard(0, 1090);
    assert.equal(at(1100), false);
    assert.equal(at(1101), true);
    assert.deepEqual(membership.raiseEpoch(1101).seats, [0]);
    assert.equal(membership.currentJoin()!.spec.tensorParallel, 1);
  });

  test('waits at its start for chips that have never been there, and not for one that was', () => {
    const patience = { nowMicros: 1000, patienceMicros: 100 };
    const first = new Membership(SPEC, { lastEpoch: 0, nowMicros: 0 });
    first.hello(makeHello(1), 950);
    assert.equal(first.replaceSilent(patience), false);
    const second = new Membership(SPEC, { lastEpoch: 0, nowMicros: 0 });
    second.hello(makeHello(1, { epoch: 3 }), 950);
    assert.equal(second.replaceSilent(patience), true);
    assert.deepEqual(second.raiseEpoch(1000).seats, [1]);
  });
});
