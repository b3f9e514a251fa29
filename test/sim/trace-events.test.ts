import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  nameTracks,
  type TraceEvent,
  traceEventsOf,
} from '../../services/sim/capacity/trace-events.ts';
import { simulateDrawn } from '../support/capacity.ts';
import { makePricer } from '../support/pricing.ts';

function endOf({ ts, dur }: TraceEvent): number {
  return ts! + dur!;
}

test('a step is filled by its operators and by what they leave of its collectives', () => {
  const pricer = makePricer();
  let steps = 0;
  simulateDrawn({
    pricer,
    onStep: (step) => {
      steps++;
      const events = traceEventsOf(step, pricer);
      const spans = events.filter(({ ph }) => ph === 'X');
      const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-3, `${a} ${b}`);
      const [whole, ...parts] = spans;
      near(endOf(whole!), step.endMicros);
      const collectives = parts.filter(({ tid }) => tid === 3);
      const operators = parts.filter(({ tid }) => tid === 2);
      assert.ok(operators.length > 5 && collectives.length >= 2);
      near(operators[0]!.ts!, step.beganMicros);
      near(endOf(collectives.at(-1)!), step.endMicros);
      for (const track of [operators, collectives]) {
        for (let index = 1; index < track.length; index++) {
          near(track[index]!.ts!, endOf(track[index - 1]!));
        }
      }
      assert.ok(collectives[0]!.ts! <= endOf(operators.at(-1)!) + 1e-3);
      assert.equal(events.filter(({ ph }) => ph === 'C').length, 2);
    },
  });
  assert.ok(steps > 10);
  assert.equal(new Set(nameTracks(1, 2).map(({ tid }) => tid)).size, 4);
});
