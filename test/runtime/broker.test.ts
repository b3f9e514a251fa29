import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { BrokerUnavailableError } from '../../services/runtime/broker/broker-unavailable-error.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import { natsServerBinary, withBroker } from '../support/broker.ts';
import { makeProgram, makeTemporaryDirectory } from './fixtures/programs.ts';

suite('startBroker', () => {
  test('serves on loopback until it is stopped', async (t) => {
    const broker = await withBroker(t);
    if (broker === undefined) return;
    assert.equal(broker.url, `nats://127.0.0.1:${broker.port}`);
    const bus = await connectNats({ servers: broker.url, name: 'test' });
    await bus.flush();
    await bus.close();
    await broker.stop();
    assert.ok((await broker.exited) < 128, 'a signal ended it');
    await assert.rejects(connectNats({ servers: broker.url, name: 'test' }), /CONNECTION_REFUSED/);
    await broker.stop();
  });

  test('bounds what a client may send and hold back', async (t) => {
    const broker = await withBroker(t);
    if (broker === undefined) return;
    const settings = await (await fetch(`${broker.monitoringUrl}/varz`)).json();
    const { max_payload, max_pending, write_deadline, jetstream, host } = settings as Record<
      string,
      unknown
    >;
    assert.deepEqual([max_payload, max_pending, write_deadline], [2 ** 23, 2 ** 26, 2e9]);
    assert.deepEqual([jetstream, host], [{}, '127.0.0.1']);
  });

  test('two brokers run side by side', async (t) => {
    const [first, second] = [await withBroker(t), await withBroker(t)];
    if (first === undefined || second === undefined) return;
    assert.notEqual(first.port, second.port);
  });

  test('leaves no temporary files', async (t) => {
    const binary = await natsServerBinary(t);
    if (binary === undefined) return;
    const ours = async () =>
      (await readdir(tmpdir())).filter((name) => name.includes('sohu-broker-'));
    const before = new Set(await ours());
    const broker = await startBroker({ binary });
    const pid = broker.pid;
    await broker.stop();
    const added = (await ours()).filter((name) => !before.has(name));
    // Other tests may be starting brokers of their own just now: only this broker's files count.
    for (const name of added) {
      const files = await readdir(join(tmpdir(), name)).catch(() => []);
      assert.ok(!files.some((file) => file.includes(`_${pid}.`)), name);
    }
  });

  test('writes a log only where it is told to', async (t) => {
    const binary = await natsServerBinary(t);
    if (binary === undefined) return;
    const logFile = join(await makeTemporaryDirectory(t), 'broker.log');
    const broker = await startBroker({ binary, logFile });
    await broker.stop();
    assert.match(await readFile(logFile, 'utf8'), /Server is ready/);
  });

  test('says why when the port is taken', async (t) => {
    const broker = await withBroker(t);
    const binary = broker && (await natsServerBinary(t));
    if (broker === undefined || binary === undefined) return;
    await assert.rejects(startBroker({ binary, port: broker.port }), (error: Error) => {
      assert.ok(error instanceof BrokerUnavailableError);
      assert.match(error.message, /did not start: .*address already in use/);
      return true;
    });
  });

  test('says which program is missing', async () => {
    await assert.rejects(startBroker({ binary: '/nonexistent/nats-server' }), {
      name: 'BrokerUnavailableError',
      message: /^the broker \/nonexistent\/nats-server did not start: .*not found$/,
    });
  });

  test('repeats the last complaint of a program that crashes', async (t) => {
    const binary = await makeProgram(t, ['echo first >&2', 'echo "out of luck" >&2', 'exit 3']);
    await assert.rejects(startBroker({ binary }), {
      name: 'BrokerUnavailableError',
      message: `the broker ${binary} did not start: out of luck`,
    });
  });

  test('gives the exit code of a program that crashes silently', async (t) => {
    const binary = await makeProgram(t, ['kill -SEGV $$']);
    await assert.rejects(startBroker({ binary }), {
      message: `the broker ${binary} did not start: it ended with SIGSEGV`,
    });
  });

  test('gives up on a program that never listens, and ends it', async (t) => {
    const binary = await makeProgram(t, ['trap "" TERM', 'while :; do sleep 1; done']);
    await assert.rejects(startBroker({ binary, startTimeoutMs: 50, stopGraceMs: 50 }), {
      message: `the broker ${binary} did not listen within 50 ms`,
    });
  });
});
