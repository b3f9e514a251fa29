import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Timeline } from '../../services/sim/world/timeline.ts';

suite('a timeline', () => {
  test('lets things happen in the order of their moments, and then of their arrival', () => {
    const property = fc.property(
      fc.array(fc.nat({ max: 20 })),
      fc.nat({ max: 5 }),
      (delays, more) => {
        const timeline = new Timeline();
        const happened: { atMicros: number; order: number }[] = [];
        let order = 0;
        const plan = (delayMicros: number, children: number): void => {
          const event = { atMicros: timeline.nowMicros + delayMicros, order: order++ };
          timeline.after(delayMicros, () => {
            assert.equal(timeline.nowMicros, event.atMicros);
            happened.push(event);
            if (children > 0) plan(delayMicros % 3, children - 1);
          });
        };
        for (const delayMicros of delays) plan(delayMicros, more);
        while (timeline.advance());
        const sorted = happened.toSorted((a, b) => a.atMicros - b.atMicros || a.order - b.order);
        assert.deepEqual(happened, sorted);
        assert.equal(timeline.happened, delays.length * (more + 1));
        assert.equal(timeline.pending, 0);
      },
    );
    fc.assert(property);
  });

  test('has no past', () => {
    assert.throws(() => new Timeline().after(-1, () => {}), /the past/);
  });
});
