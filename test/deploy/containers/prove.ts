import { test } from 'node:test';
import { startEngine } from './engine.ts';
import { proveCluster } from './prove-cluster.ts';
import { provePhantom } from './prove-phantom.ts';
import { provePods } from './prove-pods.ts';
import { proveServer } from './prove-server.ts';
import { makeProvisions } from './rack.ts';

test('what deploy/ has, in a container engine', async (t) => {
  const engine = await startEngine(t);
  if (engine === undefined) return;
  const provisions = await makeProvisions(engine);
  await t.test('one server', (server) => proveServer(server, provisions));
  await t.test('three brokers and two groups', (cluster) => proveCluster(cluster, provisions));
  await t.test('a model without its weights', (phantom) => provePhantom(phantom, provisions));
  await t.test('the pods of Kubernetes', (pods) => provePods(pods, provisions));
});
