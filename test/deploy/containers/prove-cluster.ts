import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { until } from '../../support/live-cluster.ts';
import { complete, completedText } from './completions.ts';
import { type Provisions, type Rack, SECOND_GROUP, SERVICES, startRack } from './rack.ts';
import { queryPrometheus, untilPanelsShow, untilScraped } from './scraping.ts';

const BROKERS = ['nats', 'nats-2', 'nats-3'].map((name) => `${name}-monitoring:8222`);

/** While the cluster finds together again, requests may fail; what answers, answers the same. */
async function untilCompleted(rack: Rack, text: string): Promise<void> {
  await until('the cluster serves again', async () => (await complete(rack, rack.apiKey)).ok);
  assert.equal(await completedText(rack), text);
}

/** Waits until coordinators say of the brokers, in their order, whether they answer. */
async function untilBrokersAre(rack: Rack, expected: readonly string[]): Promise<void> {
  await until(`brokers are ${expected}`, async () => {
    const up = await queryPrometheus(rack, 'sohu_broker_up');
    const found = up.map(({ metric, value }) => `${metric.engine} ${metric.broker} ${value}`);
    return found.sort().join() === [...expected].sort().join();
  });
}

/** Proves compose.cluster.yaml: three brokers and two groups. */
export async function proveCluster(t: TestContext, provisions: Provisions): Promise<void> {
  const rack = await startRack(t, provisions, {
    services: [...SERVICES, ...SECOND_GROUP],
    overlays: ['compose.cluster.yaml'],
  });
  await rack.untilHealthy();
  const text = await completedText(rack);

  await t.test('are scraped, each process of both groups', () => untilScraped(rack));

  await t.test('are both on the boards', async () => {
    await untilPanelsShow(rack, () => true, { label: 'engine', values: ['0', '1'] });
    await untilPanelsShow(rack, () => true, { label: 'broker', values: BROKERS });
  });

  await t.test('outlive the broker that a group met at, which the other figures tell', async () => {
    await rack.stop('nats');
    await untilCompleted(rack, text);
    const [first, ...others] = BROKERS;
    const seenBy = (engine: string): string[] => [
      `${engine} ${first} 0`,
      ...others.map((broker) => `${engine} ${broker} 1`),
    ];
    await untilBrokersAre(rack, [...seenBy('0'), ...seenBy('1')]);
  });

  await t.test('outlive a group', async () => {
    await rack.stop('coordinator');
    await untilCompleted(rack, text);
  });

  await t.test('leave nothing behind', async () => assert.deepEqual(await rack.down(), []));
}
