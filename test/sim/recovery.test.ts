import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Fault } from '../../services/sim/world/faults.ts';
import type { Scenario } from '../../services/sim/world/scenario.ts';
import type { World } from '../../services/sim/world/world.ts';
import { makeLaboratory } from './laboratory.ts';
import { during, makeScenario, run } from './scenarios.ts';

const laboratory = makeLaboratory();

/** The seats of the group, by rank. */
function seatsOf(world: World): number[] {
  return world.coordinator.members.map(({ hello }) => hello.seat);
}

/** Runs to the end, where every client has the tokens of an undisturbed run. */
function finish(given: Partial<Scenario>): World {
  const { world } = run(makeScenario(given), laboratory);
  return world;
}

suite('requests finish as if nothing had happened', () => {
  const faults: [string, Partial<Scenario>][] = [
    ['a chip crashes and comes back', { faults: during({ kind: 'crashChip', seat: 1 }) }],
    [
      'all chips crash at once',
      { faults: during(...[0, 1, 2, 3].map((seat) => ({ kind: 'crashChip' as const, seat }))) },
    ],
    [
      'a chip hangs until the group has given its step up',
      { faults: during({ kind: 'hangChip', seat: 2, durationMicros: 800_000 }) },
    ],
    ['a chip is slow', { faults: during({ kind: 'slowChip', seat: 3, factor: 20 }) }],
    ['the coordinator starts anew', { faults: during({ kind: 'crashCoordinator' }) }],
    [
      'the coordinator and a chip start anew',
      { faults: during({ kind: 'crashCoordinator' }, { kind: 'crashChip', seat: 0 }) },
    ],
    [
      'the coordinator starts anew before it has written its last tokens down',
      { meanFlushMicros: 40_000, faults: during({ kind: 'crashCoordinator' }) },
    ],
    ['the broker is down', { faults: during({ kind: 'outage' }) }],
    [
      'a chip is not heard',
      {
        faults: during({
          ...{ kind: 'partition', seat: 1, direction: 'from', durationMicros: 700_000 },
        }),
      },
    ],
    [
      'a chip does not hear',
      {
        faults: during({
          ...{ kind: 'partition', seat: 1, direction: 'to', durationMicros: 700_000 },
        }),
      },
    ],
    ['a link is clogged', { faults: during({ kind: 'clog', from: 0, to: 2 }) }],
    ...(['loss', 'duplication', 'reordering', 'corruption'] as const).map(
      (effect): [string, Partial<Scenario>] => [
        `there is ${effect}`,
        { faults: during({ kind: 'noise', effect, chance: 0.2, atMicros: 0 }) },
      ],
    ),
    ['KV blocks are scarce', { kvBlocks: 7 }],
  ];
  for (const [what, given] of faults) {
    for (const isExact of [true, false]) {
      const how = isExact ? 'with arithmetic' : 'with a stand-in';
      test(`where ${what}, ${how}`, () => {
        finish({ ...given, isExact });
      });
    }
  }
});

suite('a chip that never comes back', () => {
  const lose = (seat: number): readonly Fault[] => during({ kind: 'loseChip', seat });

  test('is replaced by a spare, which takes its rank', () => {
    const world = finish({ spares: 1, faults: lose(1) });
    assert.deepEqual(seatsOf(world), [0, 4, 2, 3]);
  });

  for (const isExact of [true, false]) {
    test(`leaves a group of 8 to go on as a group of 4, exact: ${isExact}`, () => {
      const world = finish({ tensorParallel: 8, isExact, faults: lose(3) });
      assert.deepEqual(seatsOf(world), [0, 1, 2, 4]);
    });
  }

  test('and more of them leave a group of 2, and of 1', () => {
    const faults = [0, 1, 2].flatMap(lose);
    assert.deepEqual(seatsOf(finish({ faults })), [3]);
    assert.deepEqual(seatsOf(finish({ faults: faults.slice(1) })), [0, 3]);
  });

  test('is missed by a coordinator that starts anew, too', () => {
    const faults = [...lose(2), ...during({ kind: 'crashCoordinator' })];
    assert.deepEqual(seatsOf(finish({ faults })), [0, 1]);
  });

  test('comes back too late, and is no member any more', () => {
    const hang = during({ kind: 'hangChip', seat: 0, durationMicros: 2_400_000 });
    const later = { index: 30, atMicros: 3_000_000, cancelAtMicros: undefined };
    const { requests } = makeScenario();
    const world = finish({ spares: 1, faults: hang, requests: [...requests, later] });
    assert.deepEqual(seatsOf(world), [4, 1, 2, 3]);
  });
});

suite('a coordinator that starts anew', () => {
  test('begins above every epoch that it hears of', () => {
    const epochs = new Set<number>();
    const faults = during(
      { kind: 'crashCoordinator' },
      { kind: 'crashCoordinator', atMicros: 1_210_000 },
    );
    const late = { index: 40, atMicros: 1_200_000, cancelAtMicros: undefined };
    const scenario = makeScenario({ faults, requests: [...makeScenario().requests, late] });
    run(scenario, laboratory, ({ coordinator }) => epochs.add(coordinator.epoch));
    assert.deepEqual([...epochs].filter(Boolean), [1, 2, 3]);
  });
});
