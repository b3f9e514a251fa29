import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { until } from '../../support/live-cluster.ts';
import { complete, completedText } from './completions.ts';
import { firstProcess } from './first-process.ts';
import { type Provisions, type Rack, SERVICES, startRack } from './rack.ts';
import { queryPrometheus, untilScraped } from './scraping.ts';

const USERS: Readonly<Record<string, number>> = { prometheus: 65534 };
const IMAGE_USER = 10001;

/** Kills the first process of a container, which `docker kill` would not let come back. */
async function crash(rack: Rack, service: string): Promise<void> {
  const { State, RestartCount } = await rack.inspect(service);
  process.kill(Number(firstProcess(State.Pid).Pid), 'SIGKILL');
  await until(`${service} starts anew`, async () => {
    const now = await rack.inspect(service);
    return now.RestartCount > RestartCount && now.State.Health?.Status === 'healthy';
  });
}

/** Whether a service gets the broker's figures from a host. */
async function reachesFigures(rack: Rack, service: string, host: string): Promise<boolean> {
  const script = `fetch('http://${host}:8222/varz', { signal: AbortSignal.timeout(3000) })
    .then(({ status }) => status, ({ name }) => name)
    .then((said) => { console.log(said); process.exit(); });`;
  return (await rack.execute(service, 'node', '-e', script)).trim() === '200';
}

/** Proves compose.yaml. */
export async function proveServer(t: TestContext, provisions: Provisions): Promise<void> {
  const rack = await startRack(t, provisions, { services: SERVICES });
  let text = '';

  await t.test('becomes healthy, and serves those who have a key', async () => {
    await rack.untilHealthy();
    text = await completedText(rack);
    assert.match(text, /^, there was a/);
    assert.equal((await complete(rack)).status, 401);
    assert.equal((await complete(rack, 'sk-sohu-guessed')).status, 401);
  });

  await t.test('is scraped by its Prometheus', () => untilScraped(rack));

  await t.test('shows the figures of its broker', () =>
    until('figures of the broker', async () => {
      const rate = 'rate(sohu_broker_messages_total{broker="nats-monitoring:8222"}[20s])';
      const rates = await queryPrometheus(rack, rate);
      return rates.length === 2 && rates.every(({ value }) => value > 0);
    }),
  );

  await t.test('lets its coordinator alone reach the figures of its broker', async () => {
    const { Networks } = (await rack.inspect('nats')).NetworkSettings;
    const addresses = Object.values(Networks).map(({ IPAddress }) => IPAddress);
    assert.equal(addresses.length, 2);
    const reached = (service: string): Promise<readonly boolean[]> =>
      Promise.all(addresses.map((address) => reachesFigures(rack, service, address)));
    assert.ok(await reachesFigures(rack, 'coordinator', 'nats-monitoring'));
    assert.deepEqual([...(await reached('coordinator'))].sort(), [false, true]);
    for (const service of ['gateway', 'chip-0']) {
      assert.deepEqual(await reached(service), [false, false], service);
    }
  });

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
}
