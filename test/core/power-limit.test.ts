import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { valueAt } from '../../services/core/hardware/figure.ts';
import { CALIBRATION } from '../../services/core/timing/calibration.ts';
import { makePowerLimit, type PowerDemand } from '../../services/core/timing/power-limit.ts';
import { readChipMeasurements } from '../../services/evidence/chip-measurements.ts';
import { powerShareOf } from '../../services/evidence/fit/fit-power.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { makeRates } from '../support/pricing.ts';

const power = CALIBRATION.kernels.power!;
const MEASURED = readChipMeasurements(packagePath('services/evidence/measured')).power;
const seconds = fc.double({ min: 1e-6, max: 1, noNaN: true });

/** Work of a chip up to three times as dense as its limit allows. */
const demand: fc.Arbitrary<PowerDemand> = fc
  .record({
    computeSeconds: seconds,
    otherSeconds: fc.oneof(fc.constant(0), seconds),
    density: fc.double({ min: 0, max: 3, noNaN: true }),
    memoryShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ computeSeconds, otherSeconds, density, memoryShare }) => {
    const joules = 700 * density * (computeSeconds + otherSeconds);
    return {
      ...{ computeSeconds, otherSeconds },
      computeJoules: joules * (1 - memoryShare),
      memoryBytes: (joules * memoryShare) / power.joulesPerByte,
    };
  });

suite('a power limit', () => {
  const limit = makePowerLimit(makeRates('H100'), power);
  const spareWatts = 700 * (1 - power.idleShare);

  /** Energy at a clock over what the limit leaves in the time that the work then takes. */
  const load = (work: PowerDemand, clock: number): number => {
    const joules = work.computeJoules + work.memoryBytes * power.joulesPerByte;
    const time = work.computeSeconds / clock + work.otherSeconds;
    return (joules * clock ** 1.5) / (spareWatts * time);
  };

  test('is kept exactly by work that it slows, and other work has its full clock', () => {
    const property = fc.property(demand, (work) => {
      const clock = limit.clockOf(work);
      assert.ok(clock > 0 && clock <= 1);
      if (clock === 1) assert.ok(load(work, 1) <= 1 + 1e-9, 'full clock fits');
      else if (clock > 0.4)
        assert.ok(Math.abs(load(work, clock) - 1) < 2e-3, `${load(work, clock)}`);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test('leaves the more clock the more of the time the chip waits', () => {
    const property = fc.property(demand, seconds, (work, wait) => {
      const rested = { ...work, otherSeconds: work.otherSeconds + wait };
      assert.ok(limit.clockOf(rested) >= limit.clockOf(work) * (1 - 1e-3));
    });
    fc.assert(property);
  });

  test('does not slow chips that hold their clock, nor anything where nothing limits', () => {
    const work = { computeSeconds: 1, otherSeconds: 0, computeJoules: 1e9, memoryBytes: 0 };
    assert.equal(makePowerLimit(makeRates('TPU v6e'), power).clockOf(work), 1);
    assert.equal(makePowerLimit(makeRates('H100'), undefined).clockOf(work), 1);
    assert.ok(limit.clockOf(work) < 1);
  });

  /** Of products of 2,048 and 8,192 rows one after the other: what the same products take in bursts. */
  const BURST_FLOPS: Readonly<Record<string, { fp8: number; bf16: number }>> = {
    H100: { fp8: 1557e12, bf16: 814e12 },
    H200: { fp8: 1529e12, bf16: 800e12 },
  };

  test('slows long products as much as was measured, within 5 % of their rate', () => {
    const slowed = MEASURED.filter((row) => row.restSeconds === 0 && row.flops > 1e13);
    assert.equal(slowed.length, 8);
    for (const { chip, format, flops, bytes, workSeconds } of slowed) {
      const rates = makeRates(chip);
      const burst = BURST_FLOPS[chip]![format!];
      const clock = makePowerLimit(rates, power).clockOf({
        computeSeconds: flops / burst,
        otherSeconds: 0,
        computeJoules: flops * makePowerLimit(rates, power).joulesPerFlop(format!),
        memoryBytes: bytes,
      });
      const predicted = flops / burst / clock;
      assert.ok(
        Math.abs(predicted / workSeconds - 1) < 0.05,
        `${chip} ${format}: ${predicted / workSeconds}`,
      );
    }
  });

  test('draws its limit where it slows, and never more', () => {
    const property = fc.property(demand, (work) => {
      const clock = limit.clockOf(work);
      const spent = work.computeSeconds / clock + work.otherSeconds;
      const watts = limit.drawnJoules(work, { clock, seconds: spent })! / spent;
      assert.ok(watts >= 700 * power.idleShare && watts <= 700 * (1 + 1e-9));
      if (clock < 1 && clock > 0.4) assert.ok(watts > 0.997 * 700, `${watts}`);
    });
    fc.assert(property);
  });

  test('rests on what unlimited loads were measured to draw, each within 20 %', () => {
    for (const row of MEASURED) {
      const limitWatts = valueAt(makeRates(row.chip).chip.powerWatts, 'middle');
      if (row.watts >= 0.95 * limitWatts) continue;
      const predicted = powerShareOf(row, power) * limitWatts;
      assert.ok(
        Math.abs(predicted / row.watts - 1) < 0.2,
        `${row.chip}: ${predicted} ${row.watts}`,
      );
    }
  });
});
