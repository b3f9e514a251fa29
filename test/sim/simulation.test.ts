import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { createReferenceKernels } from '../../services/kernels/reference.ts';
import { Laboratory } from '../../services/sim/world/laboratory.ts';
import { runScenario } from '../../services/sim/world/run-scenario.ts';
import { drawScenario, WORLD_MODES } from '../../services/sim/world/scenario.ts';
import { keepOf, shrinkScenario } from '../../services/sim/world/shrink-scenario.ts';
import { makeLaboratory } from './laboratory.ts';
import { during, makeScenario } from './scenarios.ts';

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 500);

suite('a simulated world', () => {
  test('takes an equal course from an equal seed, whatever ran before', () => {
    const used = makeLaboratory();
    for (const seed of SEEDS) {
      for (const mode of WORLD_MODES) {
        const scenario = drawScenario(seed, mode);
        const outcome = runScenario(scenario, used);
        assert.equal(outcome.violation, undefined, `seed ${seed} (${mode})`);
        assert.deepEqual(runScenario(scenario, used), outcome);
      }
    }
    const scenario = drawScenario(SEEDS[0]!, 'liveness');
    assert.deepEqual(runScenario(scenario, makeLaboratory()), runScenario(scenario, used));
  });

  test('takes the same course on the kernels that specify the arithmetic', () => {
    const reference = new Laboratory({
      base: 16,
      create: (bytes) => createReferenceKernels(new ArrayBuffer(bytes)),
    });
    const fast = makeLaboratory();
    for (const seed of SEEDS.slice(0, 12)) {
      const scenario = { ...drawScenario(seed, 'liveness'), isExact: true };
      assert.deepEqual(runScenario(scenario, reference), runScenario(scenario, fast));
    }
  });

  test('takes the same course whether its messages are encoded or not', () => {
    const laboratory = makeLaboratory();
    for (const seed of SEEDS) {
      const { faults, ...scenario } = drawScenario(seed, 'liveness');
      // Where a bit is flipped is drawn for bytes alone.
      const others = faults.filter(
        (fault) => !('effect' in fault && fault.effect === 'corruption'),
      );
      const [plain, encoded] = [false, true].map((isEncoded) =>
        runScenario({ ...scenario, faults: others, isEncoded }, laboratory),
      );
      assert.deepEqual(plain, encoded, `seed ${seed}`);
    }
  });

  test('takes other courses from other seeds', () => {
    const laboratory = makeLaboratory();
    const hashes = SEEDS.map(
      (seed) => runScenario(drawScenario(seed, 'safety'), laboratory).transcript,
    );
    assert.equal(new Set(hashes).size, SEEDS.length);
  });
});

suite('a scenario that fails', () => {
  test('is shrunk to what it takes', () => {
    const property = fc.property(fc.nat({ max: 500 }), fc.nat(), (seed, pick) => {
      const scenario = drawScenario(seed, 'safety');
      const fault = scenario.faults[pick % Math.max(1, scenario.faults.length)];
      const request = scenario.requests[pick % scenario.requests.length]!;
      const shrunk = shrinkScenario(
        scenario,
        ({ faults, requests }) =>
          requests.includes(request) && (fault === undefined || faults.includes(fault)),
      );
      assert.deepEqual(shrunk.requests, [request]);
      assert.deepEqual(shrunk.faults, fault === undefined ? [] : [fault]);
    });
    fc.assert(property);
  });

  test('is found again by the places of what is left', () => {
    const faults = during({ kind: 'outage' }, { kind: 'crashCoordinator' });
    const scenario = makeScenario({ faults });
    assert.deepEqual(keepOf(scenario, {}), scenario);
    const kept = keepOf(scenario, { faults: [1], requests: [0, 4] });
    assert.deepEqual(kept.faults, [faults[1]]);
    assert.deepEqual(
      kept.requests.map(({ index }) => index),
      [3, 23],
    );
  });
});
