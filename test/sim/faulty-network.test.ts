import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../services/sim/random.ts';
import { NOISE_EFFECTS } from '../../services/sim/world/faults.ts';
import { FaultyNetwork } from '../../services/sim/world/faulty-network.ts';
import type { Arrival, Letter } from '../../services/sim/world/network.ts';

const LETTERS = 4000;
const FRAME: Letter = { kind: 'frame', from: 1, to: 2, data: Uint8Array.of(1, 2, 3) };

function makeNetwork(): FaultyNetwork {
  return new FaultyNetwork({ minMicros: 10, meanMicros: 0 }, new Random(5));
}

function carryMany(network: FaultyNetwork, letter: Letter = FRAME): (readonly Arrival[])[] {
  return Array.from({ length: LETTERS }, () => network.carry(letter));
}

suite('a faulty network', () => {
  test('carries everything once and in time while nothing is wrong', () => {
    for (const arrivals of carryMany(makeNetwork())) {
      assert.deepEqual(arrivals, [{ delayMicros: 10, data: FRAME.data, isDamaged: false }]);
    }
  });

  for (const effect of NOISE_EFFECTS) {
    test(`suffers ${effect} as often as it is told to, until that ends`, () => {
      const network = makeNetwork();
      const end = network.addNoise(effect, 0.25);
      const isHit = (arrivals: readonly Arrival[]): boolean =>
        ({
          loss: arrivals.length === 0,
          duplication: arrivals.length === 2,
          reordering: (arrivals[0]?.delayMicros ?? 0) > 10,
          corruption: arrivals[0]?.isDamaged === true,
        })[effect];
      const share = carryMany(network).filter(isHit).length / LETTERS;
      assert.ok(Math.abs(share - 0.25) < 0.03, `${share}`);
      end();
      assert.ok(!carryMany(network).some(isHit));
    });
  }

  test('corrupts one bit of a frame, and no control message', () => {
    const network = makeNetwork();
    network.addNoise('corruption', 1);
    const [{ data } = { data: undefined }] = network.carry(FRAME);
    const flipped = data!.map((byte, index) => byte ^ FRAME.data![index]!);
    const bits = [...flipped].map((byte) => byte.toString(2).replaceAll('0', '')).join('');
    assert.equal(bits, '1');
    assert.equal(network.carry({ ...FRAME, kind: 'report' })[0]!.isDamaged, false);
  });

  test('cuts a chip off in one direction or both', () => {
    const reverse: Letter = { ...FRAME, from: 2, to: 'coordinator' };
    const passes = { from: [true, false], to: [false, true], both: [false, false] } as const;
    for (const direction of ['from', 'to', 'both'] as const) {
      const network = makeNetwork();
      const end = network.cutOff(2, direction);
      const arrived = [FRAME, reverse].map((letter) => network.carry(letter).length > 0);
      assert.deepEqual(arrived, passes[direction]);
      end();
      assert.equal(network.carry(FRAME).length, 1);
    }
  });

  test('clogs one link in one direction, and breaks down as a whole', () => {
    const network = makeNetwork();
    const unclog = network.clog(1, 2);
    assert.ok(network.carry(FRAME)[0]!.delayMicros > 10);
    assert.equal(network.carry({ ...FRAME, from: 2, to: 1 })[0]!.delayMicros, 10);
    unclog();
    assert.equal(network.carry(FRAME)[0]!.delayMicros, 10);
    const repair = network.breakDown();
    assert.deepEqual(network.carry(FRAME), []);
    repair();
    assert.equal(network.carry(FRAME).length, 1);
  });
});
