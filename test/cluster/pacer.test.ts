import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { heldSpeed, Pacer, realTimeFactor } from '../../services/cluster/pacer.ts';

const positive = (max: number): fc.Arbitrary<number> => fc.double({ min: 1, max, noNaN: true });

suite('the pacer', () => {
  test('gives steps absolute deadlines, whatever the jitter of those before', () => {
    const steps = fc.array(fc.record({ step: positive(1e5), jitter: positive(4e5) }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom(0.25, 1, 3),
        positive(1e9),
        (timed, speed, startMicros) => {
          const pacer = new Pacer(speed);
          let now = startMicros;
          let deviceMicros = 0;
          for (const { step, jitter } of timed) {
            const due = pacer.begin(now, step);
            deviceMicros += step;
            const expected = startMicros + deviceMicros / speed;
            assert.ok(Math.abs(due - expected) < 1e-3, `${due} is ${expected}`);
            // Timers ring late, but the host keeps up on the average.
            now = Math.max(now, due) + Math.min(jitter, 1e6 / timed.length);
            pacer.complete(now);
          }
        },
      ),
    );
  });

  test('does not make up for more than a second', () => {
    const pacer = new Pacer(1);
    pacer.begin(0, 1000);
    pacer.complete(5e6);
    assert.equal(pacer.pace.lagMicros, 5e6 - 1000);
    assert.equal(pacer.begin(5e6, 1000), 4e6 + 1000);
  });

  test('lets device time pass with the host’s while there is nothing to do, and during a step', () => {
    const pacer = new Pacer(2);
    assert.equal(pacer.deviceAt(100), 200);
    pacer.begin(100, 50);
    assert.deepEqual(
      [pacer.deviceAt(110), pacer.deviceAt(125), pacer.deviceAt(900)],
      [220, 250, 250],
    );
    pacer.complete(130);
    assert.equal(pacer.deviceAt(900), 250, 'between steps it stands');
    pacer.rest(130);
    assert.equal(pacer.deviceAt(140), 270);
    assert.equal(pacer.hostAt(270), 140);
    pacer.advanceTo(270, 143);
    assert.equal(pacer.begin(143, 10), 145, 'a late timer delays nothing');
  });

  test('without a speed waits for nothing, and stands between steps', () => {
    const pacer = new Pacer(0);
    assert.equal(pacer.begin(100, 50), 100);
    assert.equal(pacer.deviceAt(1e6), 0);
    pacer.complete(110);
    pacer.rest(110);
    assert.equal(pacer.deviceAt(1e6), 50);
    pacer.advanceTo(700, 120);
    assert.equal(pacer.deviceAt(120), 700);
    assert.equal(realTimeFactor(pacer.pace), undefined);
    assert.equal(heldSpeed(pacer.pace), 5);
  });

  test('gives no device time to a step that is given up', () => {
    const pacer = new Pacer(1);
    pacer.begin(0, 100);
    pacer.abandon(40);
    assert.equal(pacer.deviceAt(40), 0);
    assert.equal(pacer.begin(60, 100), 160);
    assert.deepEqual(pacer.pace.busyMicros, 40);
  });

  test('never goes back', () => {
    const action = fc.constantFrom('begin', 'complete', 'rest', 'abandon', 'advance');
    const actions = fc.array(fc.tuple(action, positive(1e6)), { maxLength: 60 });
    fc.assert(
      fc.property(actions, fc.constantFrom(0, 0.5, 2), (course, speed) => {
        const pacer = new Pacer(speed);
        let now = 0;
        let before = 0;
        let isBusy = false;
        for (const [name, micros] of course) {
          now += micros;
          if (name === 'begin' && !isBusy) pacer.begin(now, micros);
          if (name === 'complete' && isBusy) pacer.complete(now);
          if (name === 'rest' && !isBusy) pacer.rest(now);
          if (name === 'abandon') pacer.abandon(now);
          if (name === 'advance' && !isBusy) pacer.advanceTo(pacer.deviceAt(now) + micros, now);
          isBusy = name === 'begin' || (isBusy && name !== 'complete' && name !== 'abandon');
          assert.ok(pacer.stepMoment >= before);
          before = pacer.stepMoment;
        }
      }),
    );
  });
});
