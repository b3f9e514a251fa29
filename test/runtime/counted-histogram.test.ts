import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { CountedHistogram } from '../../services/runtime/metrics/counted-histogram.ts';
import { parseExposition, type Sample } from '../telemetry/exposition.ts';

const HEAD = { name: 'seconds', help: 'Some "help" of\nit.' };
const PHASES = ['prefill', 'decode'] as const;

/** Values on the bounds, between and beyond; whole numbers, whose sums are exact in any order. */
const runs = fc.array(
  fc.record({
    value: fc.integer({ min: -3, max: 60 }),
    times: fc.integer({ min: 1, max: 5 }),
    phase: fc.constantFrom(...PHASES),
  }),
);
const bounds = fc
  .uniqueArray(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 8 })
  .map((values) => values.toSorted((a, b) => a - b));

async function shown(registry: Registry): Promise<readonly Sample[]> {
  const text = await registry.metrics();
  assert.equal(text.split('\n')[0], '# HELP seconds Some "help" of\\nit.');
  const family = parseExposition(text).get('seconds')!;
  assert.equal(family.type, 'histogram');
  return family.samples;
}

function makeRegistry(): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ engine: '0' });
  return registry;
}

/** In an order of their own. */
function sorted(samples: readonly Sample[]): string[] {
  return samples
    .map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify([name, pairs, value]);
    })
    .sort();
}

suite('a counted histogram', () => {
  test('shows what prom-client shows of the same values one by one', async () => {
    const property = fc.asyncProperty(bounds, runs, async (buckets, values) => {
      const [own, other] = [makeRegistry(), makeRegistry()];
      const counted = new CountedHistogram(own, { ...HEAD, bounds: buckets }).child();
      const reference = new Histogram({ ...HEAD, buckets, registers: [other] });
      for (const { value, times } of values) {
        counted.observe(value, times);
        for (let time = 0; time < times; time++) reference.observe(value);
      }
      assert.deepEqual(await shown(own), await shown(other));
    });
    await fc.assert(property);
  });

  test('shows children once they have values, as prom-client does', async () => {
    const property = fc.asyncProperty(bounds, runs, async (buckets, values) => {
      const [own, other] = [makeRegistry(), makeRegistry()];
      const counted = new CountedHistogram(own, { ...HEAD, bounds: buckets });
      const children = {
        prefill: counted.child({ phase: 'prefill' }),
        decode: counted.child({ phase: 'decode' }),
      };
      const labelNames = ['phase'];
      const reference = new Histogram({ ...HEAD, buckets, labelNames, registers: [other] });
      for (const { value, times, phase } of values) {
        children[phase].observe(value, times);
        for (let time = 0; time < times; time++) reference.observe({ phase }, value);
      }
      assert.deepEqual(sorted(await shown(own)), sorted(await shown(other)));
    });
    await fc.assert(property);
  });

  test('is told before it is read', async () => {
    const registry = makeRegistry();
    let waiting = 3;
    const histogram = new CountedHistogram(registry, {
      ...HEAD,
      bounds: [1],
      collect: () => {
        child.observe(1, waiting);
        waiting = 0;
      },
    });
    const child = histogram.child();
    for (let time = 0; time < 2; time++) {
      assert.equal((await shown(registry)).at(-1)!.value, 3);
    }
  });
});
