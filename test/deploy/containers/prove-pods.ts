import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { until } from '../../support/live-cluster.ts';
import { parseExposition, total } from '../../telemetry/exposition.ts';
import type { Probe } from '../manifests.ts';
import { type Pod, readPods } from '../pods.ts';
import { completedText } from './completions.ts';
import { PodEngine } from './pod-engine.ts';
import type { Provisions } from './rack.ts';

/** Tokens that take longer than the gateways wait before they end. */
const LONG = 400;

/** Proves the pods of deploy/kubernetes: each as its manifest says, without the cluster around them. */
export async function provePods(t: TestContext, provisions: Provisions): Promise<void> {
  const pods = readPods();
  const engine = new PodEngine(provisions);
  await engine.createNetwork();
  t.after(() => engine.remove(pods));
  const fetchFrom = async (pod: Pod, port: string, path: string): Promise<Response> => {
    const { containerPort } = pod.container.ports.find(({ name }) => name === port)!;
    return fetch(`http://${await engine.addressOf(pod)}:${containerPort}${path}`);
  };
  const ofComponent = (component: string): readonly Pod[] =>
    pods.filter((pod) => pod.component === component);

  await t.test('pass their probes, in whatever order they are started', async () => {
    // The broker comes last.
    for (const pod of [...pods].sort((a, b) => a.name.localeCompare(b.name))) {
      await engine.start(pod);
    }
    const passes = async (pod: Pod, { httpGet: { port, path } }: Probe): Promise<boolean> =>
      (await fetchFrom(pod, port, path).catch(() => undefined))?.ok === true;
    for (const pod of pods) {
      const { startupProbe, livenessProbe, readinessProbe } = pod.container;
      for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
        if (probe === undefined) continue;
        await until(`${pod.name} passes ${probe.httpGet.path}`, () => passes(pod, probe));
      }
    }
  });

  const textsOfGateways = (maxTokens?: number): Promise<readonly string[]> => {
    const texts = ofComponent('gateway').map(async (pod) => {
      const url = `http://${await engine.addressOf(pod)}:8000`;
      const served = { apiKey: provisions.apiKey, gatewayUrl: async () => url };
      return completedText(served, maxTokens);
    });
    return Promise.all(texts);
  };

  await t.test('serve at every gateway those who have a key', async () => {
    const [first, second] = await textsOfGateways();
    assert.match(first!, /^, there was a/);
    assert.equal(second, first);
  });

  await t.test('show their metrics where they are sought, the broker’s among them', async () => {
    for (const pod of pods) {
      if (pod.component === 'nats') continue;
      const { 'prometheus.io/port': port, 'prometheus.io/path': path } = pod.annotations;
      const url = `http://${await engine.addressOf(pod)}:${port}${path}`;
      const families = parseExposition(await (await fetch(url)).text());
      assert.ok(
        [...families.keys()].some((name) => /^(sohu|vllm)/.test(name)),
        pod.name,
      );
      if (pod.component !== 'coordinator') continue;
      assert.equal(total(families, 'sohu_broker_up', { broker: 'nats:8222' }), 1);
    }
  });

  await t.test('end in peace when they are asked to, and answer before', async () => {
    const coordinator = ofComponent('coordinator')[0]!;
    const texts = textsOfGateways(LONG);
    await until('both are answered', async () => {
      const metrics = await (await fetchFrom(coordinator, 'metrics', '/metrics')).text();
      return total(parseExposition(metrics), 'sohu_requests', { state: 'running' }) === 2;
    });
    // The broker would be the last: without it nothing is answered.
    for (const component of ['gateway', 'coordinator', 'chip']) {
      const codes = await Promise.all(ofComponent(component).map((pod) => engine.stop(pod)));
      assert.deepEqual(new Set(codes), new Set([0]), component);
    }
    const [first, second] = await texts;
    assert.equal(second, first);
  });
}
