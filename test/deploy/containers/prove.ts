import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/live-cluster.ts';
import { complete, completedText } from './completions.ts';
import { startEngine } from './engine.ts';
import { firstProcess } from './first-process.ts';
import { makeProvisions, type Rack, SERVICES, startRack } from './rack.ts';

const USERS: Readonly<Record<string, number>> = { prometheus: 65534 };
const IMAGE_USER = 10001;

/** What Prometheus says of every target. */
async function scraped(rack: Rack): Promise<Readonly<Record<string, string>>> {
  const url = 'http://127.0.0.1:9090/api/v1/query?query=up';
  const answer = JSON.parse(await rack.execute('prometheus', 'wget', '-q', '-O', '-', url));
  const results = answer.data.result as { metric: { instance: string }; value: [number, string] }[];
  return Object.fromEntries(results.map(({ metric, value }) => [metric.instance, value[1]]));
}

const TARGETS = ['chip-0', 'chip-7', 'coordinator'].map((name) => `${name}:9464`);

function untilScraped(rack: Rack): Promise<void> {
  return until('Prometheus sees the cluster', async () => {
    const up = await scraped(rack).catch(() => ({}) as Readonly<Record<string, string>>);
    return [...TARGETS, 'gateway:8000'].every((target) => up[target] === '1');
  });
}

/** Kills the first process of a container, which `docker kill` would not let come back. */
async function crash(rack: Rack, service: string): Promise<void> {
  const { State, RestartCount } = await rack.inspect(service);
  process.kill(Number(firstProcess(State.Pid).Pid), 'SIGKILL');
  await until(`${service} starts anew`, async () => {
    const now = await rack.inspect(service);
    return now.RestartCount > RestartCount && now.State.Health?.Status === 'healthy';
  });
}

test('the Compose file, in a container engine', async (t) => {
  const engine = await startEngine(t);
  if (engine === undefined) return;
  const rack = await startRack(await makeProvisions(engine), { services: SERVICES });
  let text = '';

  await t.test('becomes healthy, and serves those who have a key', async () => {
    await rack.untilHealthy();
    text = await completedText(rack);
    assert.match(text, /^, there was a/);
    assert.equal((await complete(rack)).status, 401);
    assert.equal((await complete(rack, 'sk-sohu-guessed')).status, 401);
  });

  await t.test('is scraped by its Prometheus', () => untilScraped(rack));

  for (const service of SERVICES) {
    await t.test(`gives ${service} no rights, no disk and no way out`, async () => {
      const { State, NetworkSettings } = await rack.inspect(service);
      const status = firstProcess(State.Pid);
      const uid = USERS[service] ?? IMAGE_USER;
      assert.deepEqual(new Set(status.Uid!.split('\t')), new Set([`${uid}`]));
      assert.deepEqual([status.CapEff, status.CapBnd].map(Number), [0, 0]);
      assert.deepEqual([status.NoNewPrivs, status.Seccomp], ['1', '2']);
      await assert.rejects(rack.execute(service, 'touch', '/file'), /Read-only file system/);
      const published = Object.values(NetworkSettings.Ports).flatMap((ports) => ports ?? []);
      assert.deepEqual(
        published.map(({ HostIp }) => HostIp),
        service === 'gateway' ? ['127.0.0.1'] : [],
      );
      const networks = Object.keys(NetworkSettings.Networks);
      const internal = await Promise.all(networks.map((network) => rack.isInternal(network)));
      assert.equal(internal.includes(false), service === 'gateway');
    });
  }

  await t.test('gives every process its own seed alone', async () => {
    const list = (service: string) => rack.execute(service, 'ls', '/run/secrets');
    assert.equal((await list('chip-3')).trim(), 'nkey');
    assert.deepEqual((await list('gateway')).trim().split(/\s+/), ['api-keys', 'nkey']);
  });

  for (const service of ['gateway', 'prometheus', 'chip-5', 'nats']) {
    await t.test(`survives the end of ${service}`, async () => {
      await crash(rack, service);
      await rack.untilHealthy();
      assert.equal(await completedText(rack), text);
      await untilScraped(rack);
    });
  }

  await t.test('leaves nothing behind', async () => assert.deepEqual(await rack.down(), []));
});
