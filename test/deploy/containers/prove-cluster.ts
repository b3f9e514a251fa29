import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/live-cluster.ts';
import { complete, completedText } from './completions.ts';
import { startEngine } from './engine.ts';
import { makeProvisions, type Rack, SECOND_GROUP, SERVICES, startRack } from './rack.ts';

/** While the cluster finds together again, requests may fail; what answers, answers the same. */
async function untilCompleted(rack: Rack, text: string): Promise<void> {
  await until('the cluster serves again', async () => (await complete(rack, rack.apiKey)).ok);
  assert.equal(await completedText(rack), text);
}

test('three brokers and two groups, in a container engine', async (t) => {
  const engine = await startEngine(t);
  if (engine === undefined) return;
  const rack = await startRack(await makeProvisions(engine), {
    services: [...SERVICES.filter((name) => name !== 'prometheus'), ...SECOND_GROUP],
    overlays: ['compose.cluster.yaml'],
  });
  await rack.untilHealthy();
  const text = await completedText(rack);

  await t.test('outlive the broker that a group met at', async () => {
    await rack.stop('nats');
    await untilCompleted(rack, text);
  });

  await t.test('outlive a group', async () => {
    await rack.stop('coordinator');
    await untilCompleted(rack, text);
  });

  await t.test('leave nothing behind', async () => assert.deepEqual(await rack.down(), []));
});
