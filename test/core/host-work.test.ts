import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CALIBRATION } from '../../services/core/timing/calibration.ts';
import { makeHostWork } from '../../services/core/timing/host-work.ts';
import { makeStepShape } from '../../services/core/timing/step-shape.ts';

const LAYERS = 80;
const WORK = { launchMicros: 100, hostMicros: 1000, hostMicrosPerSequence: 30 };
const hostOf = (hostOverlaps: boolean) =>
  makeHostWork({ ...CALIBRATION.versions['trtllm-1.0']!, ...WORK, hostOverlaps }, LAYERS);
const decode = (decodeSequences: number) => makeStepShape({ decodeSequences });
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is ${expected}`);

suite('what a step waits for on the host', () => {
  test('launching shows only where it takes longer than the chip', () => {
    near(hostOf(false).waitSeconds(decode(0), 3e-3, false), 8e-3 - 3e-3 + 1e-3);
    near(hostOf(false).waitSeconds(decode(0), 9e-3, false), 1e-3);
    near(hostOf(false).waitSeconds(decode(0), 3e-3, true), 1e-3);
  });

  test('its own work follows the chip’s, a part for each sequence', () => {
    near(hostOf(false).waitSeconds(decode(100), 20e-3, false), 1e-3 + 100 * 30e-6);
  });

  test('or hides behind it where the next step is prepared meanwhile', () => {
    near(hostOf(true).waitSeconds(decode(100), 20e-3, false), 0);
    near(hostOf(true).waitSeconds(decode(1000), 20e-3, false), 8e-3 + 1e-3 + 30e-3 - 20e-3);
    near(hostOf(true).waitSeconds(decode(1000), 20e-3, true), 1e-3 + 30e-3 - 20e-3);
  });
});
