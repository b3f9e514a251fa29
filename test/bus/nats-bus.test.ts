import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import type { Bus, BusStatus } from '../../services/bus/bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import { natsServerBinary, withBroker } from '../support/broker.ts';

const nothing = new Uint8Array();

function nextStatus(bus: Bus, wanted: BusStatus): Promise<void> {
  return new Promise((resolve) => {
    bus.onStatus((status) => {
      if (status === wanted) resolve();
    });
  });
}

/** A broker whose clients may not use subjects below `secret`. */
async function withForbiddingBroker(t: TestContext) {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'sohu-test-'));
  t.after(() => rm(directory, { recursive: true }));
  const wrapper = join(directory, 'nats-server');
  const permissions = '{publish: {deny: ["secret.>"]}, subscribe: {deny: ["secret.>"]}}';
  const users = `[{user: anybody, password: x, permissions: ${permissions}}]`;
  const config = `'authorization { users: ${users} }' 'no_auth_user: anybody'`;
  const script = ['#!/bin/sh', `printf '%s\\n' ${config} >> "$2"`, `exec '${binary}' "$@"`, ''];
  await writeFile(wrapper, script.join('\n'));
  await chmod(wrapper, 0o755);
  const broker = await startBroker({ binary: wrapper });
  t.after(() => broker.stop());
  return broker;
}

suite('connectNats', () => {
  test('names the address and the reason when there is no broker', async () => {
    await assert.rejects(
      connectNats({ servers: 'nats://127.0.0.1:1', name: 'test' }),
      /^BrokerError: no connection to the broker at nats:\/\/127\.0\.0\.1:1: CONNECTION_REFUSED$/,
    );
  });

  test('reconnects and subscribes again after the broker was away', async (t) => {
    const first = await withBroker(t);
    const binary = first && (await natsServerBinary(t));
    if (first === undefined || binary === undefined) return;
    const bus = await connectNats({ servers: first.url, name: 'test' });
    t.after(() => bus.close());
    const statuses: BusStatus[] = [];
    bus.onStatus((status) => statuses.push(status));
    const received: string[] = [];
    bus.subscribe('s', (message) => received.push(message.subject));
    await bus.flush();

    const [disconnected, reconnected] = [
      nextStatus(bus, 'disconnected'),
      nextStatus(bus, 'reconnected'),
    ];
    await first.stop();
    await disconnected;
    await assert.rejects(bus.flush(), /the broker was not reached: /);
    const second = await startBroker({ binary, port: first.port });
    t.after(() => second.stop());
    await reconnected;

    bus.publish('s', nothing);
    await bus.flush();
    assert.deepEqual(received, ['s']);
    assert.deepEqual(statuses, ['disconnected', 'reconnected']);
  });

  test('closes, and settles every flush, while the broker is away', async (t) => {
    const broker = await withBroker(t);
    if (broker === undefined) return;
    const bus = await connectNats({ servers: broker.url, name: 'test' });
    const disconnected = nextStatus(bus, 'disconnected');
    const closed = nextStatus(bus, 'closed');
    await broker.stop();
    await disconnected;
    const flush = assert.rejects(bus.flush(), /the broker was not reached: /);
    await bus.close();
    await Promise.all([flush, closed]);
  });

  test('the flush after a forbidden subject rejects, once', async (t) => {
    const broker = await withForbiddingBroker(t);
    if (broker === undefined) return;
    const bus = await connectNats({ servers: broker.url, name: 'test' });
    t.after(() => bus.close());
    bus.subscribe('secret.a', () => assert.fail('a forbidden message'));
    await assert.rejects(bus.flush(), /the broker refused: .*Subscription to "secret\.a"/);
    bus.publish('secret.b', nothing);
    await assert.rejects(bus.flush(), /the broker refused: .*publish to "secret\.b"/);
    await bus.flush();
  });

  test('an exception in a handler is uncaught, and the connection goes on', async (t) => {
    const broker = await withBroker(t);
    if (broker === undefined) return;
    const bus = await connectNats({ servers: broker.url, name: 'test' });
    t.after(() => bus.close());
    const runnerListeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = once(process, 'uncaughtException');
    t.after(() => {
      for (const listener of runnerListeners) process.on('uncaughtException', listener);
    });
    const received: string[] = [];
    bus.subscribe('bad', () => {
      throw new Error('broken handler');
    });
    bus.subscribe('good', (message) => received.push(message.subject));
    bus.publish('bad', nothing);
    bus.publish('good', nothing);
    const [error] = await uncaught;
    assert.equal(error.message, 'broken handler');
    await bus.flush();
    assert.deepEqual(received, ['good']);
  });

  test('the broker knows the connection by its name', async (t) => {
    const broker = await withBroker(t);
    if (broker === undefined) return;
    const bus = await connectNats({ servers: broker.url, name: 'worker 3' });
    t.after(() => bus.close());
    const page = await fetch(`${broker.monitoringUrl}/connz`);
    const { connections } = (await page.json()) as { connections: { name: string }[] };
    assert.deepEqual(
      connections.map(({ name }) => name),
      ['worker 3'],
    );
  });
});
