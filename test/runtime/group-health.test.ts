import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WHOLE_SERVER } from '../../services/rpc/health/health.ts';
import { INFERENCE_SERVICE } from '../../services/rpc/inference-methods.ts';
import { GroupHealth } from '../../services/runtime/coordinator/group-health.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';

const MODEL = join(BUNDLED_MODELS, 'tinystories-5m');

test('a group serves from when it is ready, but not while it forms again', async (t) => {
  const group = new GroupHealth();
  const controller = new AbortController();
  t.after(() => controller.abort());
  const watch = group.health.watch(INFERENCE_SERVICE, controller.signal);
  const next = async () => (await watch.next()).value;
  assert.equal(await next(), 'NOT_SERVING');
  const onEvent = group.observe.bind(group);
  await MemoryCluster.use({ model: MODEL, tp: 2, onEvent }, async ({ host }) => {
    assert.equal(await next(), 'SERVING');
    assert.equal(group.health.statusOf(WHOLE_SERVER), 'SERVING');
    host.coordinator.reconnected();
    assert.equal(group.health.statusOf(WHOLE_SERVER), 'NOT_SERVING');
    assert.equal(await next(), 'NOT_SERVING');
    assert.equal(await next(), 'SERVING');
  });
});
