import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { Registry } from 'prom-client';
import { registerBrokerMetrics } from '../../services/runtime/metrics/broker-metrics.ts';
import { makeProgram } from '../../services/runtime/options/programs.ts';
import { until } from '../support/live-cluster.ts';
import { type Family, parseExposition, total } from '../telemetry/exposition.ts';

interface Pages {
  readonly url: string;
  /** Its name among the series. */
  readonly broker: string;
  close(): Promise<void>;
}

/** The monitoring pages of a broker that has seen so many messages. */
async function startPages(t: TestContext, messages: number): Promise<Pages> {
  const varz = {
    ...{ connections: 3, subscriptions: 5, slow_consumers: 0, mem: 1024 },
    ...{ in_msgs: messages, out_msgs: 2 * messages, in_bytes: 10, out_bytes: 20 },
  };
  const server = createServer(({ url }, response) => {
    response.writeHead(url === '/varz' ? 200 : 404).end(JSON.stringify(varz));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const broker = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  t.after(close);
  return { url: `http://${broker}`, broker, close };
}

/** Registered anew, so that no answer is remembered. */
async function read(urls: readonly string[]): Promise<ReadonlyMap<string, Family>> {
  const registry = new Registry();
  registerBrokerMetrics(registry, urls);
  return parseExposition(await registry.metrics());
}

suite('the brokers among the metrics', () => {
  test('are told apart, and one that is gone leaves nothing but that', async (t) => {
    const [first, second] = [await startPages(t, 7), await startPages(t, 11)];
    const urls = [first.url, `${second.url}/`];
    const both = await read(urls);
    for (const [{ broker }, messages] of [
      [first, 7],
      [second, 11],
    ] as const) {
      assert.equal(total(both, 'sohu_broker_up', { broker }), 1);
      assert.equal(
        total(both, 'sohu_broker_messages_total', { broker, direction: 'out' }),
        2 * messages,
      );
    }
    await first.close();
    const one = await read(urls);
    assert.equal(total(one, 'sohu_broker_up', { broker: first.broker }), 0);
    for (const [name, { samples }] of one) {
      if (name === 'sohu_broker_up') continue;
      assert.deepEqual(
        new Set(samples.map(({ labels }) => labels.broker)),
        new Set([second.broker]),
        name,
      );
    }
  });

  test('of a registry lose the figures of one that went', async (t) => {
    const pages = await startPages(t, 7);
    const registry = new Registry();
    registerBrokerMetrics(registry, [pages.url]);
    const shown = async (): Promise<number> =>
      parseExposition(await registry.metrics()).get('sohu_broker_connections')!.samples.length;
    assert.equal(await shown(), 1);
    await pages.close();
    // What was answered stays fresh for a moment.
    await until('the figures go', async () => (await shown()) === 0);
    assert.match(await registry.metrics(), /^sohu_broker_up\{broker="[^"]+"\} 0$/m);
  });

  test('are asked at URLs, of which there may be several', () => {
    const parse = (text: string): unknown =>
      makeProgram('coordinator')
        .exitOverride()
        .configureOutput({ writeErr: () => {} })
        .parse(['--nats-monitoring', text], { from: 'user' })
        .opts().natsMonitoring;
    assert.deepEqual(parse('http://a:8222,http://b:8222/'), ['http://a:8222', 'http://b:8222/']);
    for (const wrong of ['nats:8222', 'http://a:99999', 'http://a:8222/varz', 'http://a:1,', '']) {
      assert.throws(() => parse(wrong), /It must be a URL such as/, wrong);
    }
  });
});
