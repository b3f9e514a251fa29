import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { RpcClient } from '../../services/rpc/client.ts';
import { decodeClientFrame } from '../../services/rpc/client-frame.ts';
import type { Clock } from '../../services/rpc/clock.ts';
import { ATTEMPTS_METADATA, retrying } from '../../services/rpc/retry/retrying.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { decodeServerFrame, encodeServerFrame } from '../../services/rpc/server-frame.ts';
import { RpcError } from '../../services/rpc/status.ts';
import { startBroker } from '../../services/runtime/broker/nats-server.ts';
import { natsServerBinary, withBroker } from '../support/broker.ts';
import {
  ASK,
  CLUSTER,
  collect,
  countForever,
  countTo,
  range,
  STREAM,
  tamperedBus,
  until,
  untilAborted,
} from './toy-service.ts';

type Tamper = (data: Uint8Array, index: number) => Uint8Array[];

/** A server whose frames pass through `tamper`, numbered over all calls, and a client. */
function makeTampered(tamper: Tamper, options: { client?: object; server?: object } = {}) {
  const broker = new MemoryBroker();
  let frames = 0;
  const bus = tamperedBus(broker.connect(), (data) => tamper(data, frames++));
  const server = new RpcServer(bus, { cluster: CLUSTER, serverId: 'server-1', ...options.server });
  const client = new RpcClient(broker.connect(), {
    cluster: CLUSTER,
    idleTimeoutMs: 50,
    ...options.client,
  });
  return { server, client };
}

/** What arrived before the stream ended, and how it ended. */
async function readToEnd(stream: AsyncIterable<string>) {
  const received: string[] = [];
  try {
    for await (const item of stream) received.push(item);
    return { received, code: 'OK' };
  } catch (error) {
    return { received, code: RpcError.from(error).code };
  }
}

test('a lost frame is an error, never a shorter or a gapped stream', async () => {
  const count = 20;
  const frames = count + 2;
  for (let lost = 0; lost < frames; lost += 1) {
    const { server, client } = makeTampered((data, index) => (index === lost ? [] : [data]));
    server.serverStreaming(STREAM, countTo);
    const { received, code } = await readToEnd(client.callServerStreaming(STREAM, `${count}`));
    // Behind the last frame there is no other to show the gap: only silence.
    assert.equal(code, lost === frames - 1 ? 'UNAVAILABLE' : 'DATA_LOSS', `frame ${lost}`);
    assert.deepEqual(received, range(Math.max(0, lost - 1)));
    await until(() => server.openCalls === 0);
  }
});

test('a gap cancels the call at the server, even where the lost frame named the server', async () => {
  for (const lost of [0, 3]) {
    const { server, client } = makeTampered((data, index) => (index === lost ? [] : [data]));
    let signal: AbortSignal | undefined;
    server.serverStreaming(STREAM, (_, call) => {
      ({ signal } = call);
      return countForever();
    });
    assert.equal((await readToEnd(client.callServerStreaming(STREAM, ''))).code, 'DATA_LOSS');
    await until(() => server.openCalls === 0);
    assert.equal(RpcError.from(signal?.reason).code, 'CANCELLED');
  }
});

test('an end that counts other messages than came is DATA_LOSS', async () => {
  for (const difference of [-1, 1]) {
    const { server, client } = makeTampered((data) => {
      const frame = decodeServerFrame(data)!;
      if (frame.body.kind !== 'end') return [data];
      const messageCount = frame.body.messageCount + difference;
      return [encodeServerFrame({ ...frame, body: { ...frame.body, messageCount } })];
    });
    server.serverStreaming(STREAM, countTo);
    const { received, code } = await readToEnd(client.callServerStreaming(STREAM, '5'));
    assert.deepEqual([received, code], [range(5), 'DATA_LOSS']);
  }
});

test('duplicates are dropped', async () => {
  const { server, client } = makeTampered((data) => [data, data, data]);
  server.serverStreaming(STREAM, countTo);
  assert.deepEqual(await collect(client.callServerStreaming(STREAM, '50')), range(50));
  await until(() => client.droppedFrames === 2 * 52);
});

test('any mixture of loss, duplication and reordering gives a prefix, and OK only with everything', async () => {
  const mischief = fc.array(fc.constantFrom('pass', 'pass', 'pass', 'drop', 'twice', 'late'), {
    minLength: 0,
    maxLength: 24,
  });
  await fc.assert(
    fc.asyncProperty(mischief, fc.nat(20), async (plan, count) => {
      let held: Uint8Array[] = [];
      const { server, client } = makeTampered(
        (data, index) => {
          const action = plan[index] ?? 'pass';
          const late = held;
          held = action === 'late' ? [data] : [];
          if (action === 'twice') return [data, data, ...late];
          return action === 'pass' ? [data, ...late] : late;
        },
        { client: { idleTimeoutMs: 20, connectTimeoutMs: 20 } },
      );
      server.serverStreaming(STREAM, countTo);
      const { received, code } = await readToEnd(client.callServerStreaming(STREAM, `${count}`));
      assert.deepEqual(received, range(received.length));
      if (code === 'OK') assert.equal(received.length, count);
      await until(() => server.openCalls === 0);
    }),
    { numRuns: 300 },
  );
});

test('whatever becomes of grants, a stream is whole or an error', async () => {
  const mischief = fc.array(fc.constantFrom('pass', 'pass', 'drop', 'twice', 'late'), {
    maxLength: 12,
  });
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(mischief, fc.nat(20), async (plan, count) => {
      let grants = 0;
      let held: Uint8Array[] = [];
      const broker = new MemoryBroker();
      const bus = tamperedBus(broker.connect(), (data) => {
        if (decodeClientFrame(data)?.kind !== 'credit') return [data];
        const action = plan[grants++] ?? 'pass';
        const late = held;
        held = action === 'late' ? [data] : [];
        if (action === 'twice') return [data, data, ...late];
        return action === 'pass' ? [data, ...late] : late;
      });
      const options = { cluster: CLUSTER, serverId: 'server-1', stallTimeoutMs: 10 };
      const server = new RpcServer(broker.connect(), options);
      const client = new RpcClient(bus, { cluster: CLUSTER, maxBufferedMessages: 2 });
      server.serverStreaming(STREAM, countTo);
      const { received, code } = await readToEnd(client.callServerStreaming(STREAM, `${count}`));
      codes.add(code);
      assert.deepEqual(received, range(received.length));
      if (code === 'OK') assert.equal(received.length, count);
      else assert.equal(code, 'RESOURCE_EXHAUSTED');
      await until(() => server.openCalls === 0);
    }),
    { numRuns: 200 },
  );
  assert.deepEqual([...codes].sort(), ['OK', 'RESOURCE_EXHAUSTED']);
});

test('a server that falls silent is UNAVAILABLE', async () => {
  const { server, client } = makeTampered((data, index) => (index < 4 ? [data] : []));
  server.serverStreaming(STREAM, countForever);
  const { received, code } = await readToEnd(client.callServerStreaming(STREAM, ''));
  assert.deepEqual(received, range(3));
  assert.equal(code, 'UNAVAILABLE');
  await until(() => server.openCalls === 0);
});

test('heartbeats keep a quiet call alive', async () => {
  let heartbeats = 0;
  let finish = () => {};
  const { server, client } = makeTampered(
    (data) => {
      if (decodeServerFrame(data)?.body.kind === 'heartbeat') heartbeats += 1;
      if (heartbeats === 40) finish();
      return [data];
    },
    { server: { heartbeatIntervalMs: 10 }, client: { idleTimeoutMs: 200 } },
  );
  server.unary(ASK, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return 'at last';
  });
  assert.equal(await client.callUnary(ASK, ''), 'at last');
});

test('the client bounds its open calls', async () => {
  const { server, client } = makeTampered((data) => [data], { client: { maxOpenCalls: 2 } });
  server.unary(ASK, (_, call) => untilAborted(call.signal));
  const controller = new AbortController();
  const { signal } = controller;
  const open = [0, 1].map(() => client.callUnary(ASK, '', { signal }));
  await until(() => server.openCalls === 2);
  await assert.rejects(client.callUnary(ASK, ''), { code: 'RESOURCE_EXHAUSTED' });
  controller.abort();
  for (const call of open) await assert.rejects(call, { code: 'CANCELLED' });
});

test('a handler that ignores its signal still ends for the client, and keeps its place', async () => {
  const { server, client } = makeTampered((data) => [data]);
  let finish = () => {};
  server.unary(ASK, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return '';
  });
  const controller = new AbortController();
  const call = client.callUnary(ASK, '', { signal: controller.signal });
  await until(() => server.openCalls === 1);
  controller.abort();
  await assert.rejects(call, { code: 'CANCELLED' });
  assert.equal(server.openCalls, 1);
  finish();
  await until(() => server.openCalls === 0);
});

test('a lost connection is UNAVAILABLE', async (t) => {
  const broker = await withBroker(t);
  if (broker === undefined) return;
  const serverBus = await connectNats({ servers: broker.url, name: 'server' });
  const clientBus = await connectNats({ servers: broker.url, name: 'client' });
  t.after(() => Promise.all([serverBus.close(), clientBus.close()]));
  const server = new RpcServer(serverBus, { cluster: CLUSTER, serverId: 'server-1' });
  const client = new RpcClient(clientBus, { cluster: CLUSTER });
  server.serverStreaming(STREAM, countForever);
  await serverBus.flush();
  const stream = client.callServerStreaming(STREAM, '');
  await stream.next();
  await broker.stop();
  await assert.rejects(collect(stream), { code: 'UNAVAILABLE', message: /connection/ });
  await serverBus.close();
  await until(() => server.openCalls === 0);
});

test('a retried call outlives the broker, and a stream that has begun does not', async (t) => {
  const first = await withBroker(t);
  const binary = first && (await natsServerBinary(t));
  if (first === undefined || binary === undefined) return;
  const serverBus = await connectNats({ servers: first.url, name: 'server' });
  const clientBus = await connectNats({ servers: first.url, name: 'client' });
  t.after(() => Promise.all([serverBus.close(), clientBus.close()]));
  const reconnected = Promise.all([serverBus, clientBus].map((bus) => nextReconnect(bus)));
  const clock: Clock = {
    now: () => 0,
    sleep: async () => {
      await reconnected;
      await serverBus.flush();
    },
  };
  const server = new RpcServer(serverBus, {
    cluster: CLUSTER,
    serverId: 'server-1',
    heartbeatIntervalMs: 20,
  });
  const client = new RpcClient(clientBus, {
    cluster: CLUSTER,
    maxBufferedMessages: 8,
    interceptors: [retrying({ clock })],
  });
  server.serverStreaming(STREAM, countForever);
  server.unary(ASK, (_, call) =>
    call.metadata.has(ATTEMPTS_METADATA) ? 'answered' : untilAborted(call.signal),
  );
  await serverBus.flush();
  const stream = client.callServerStreaming(STREAM, '');
  await stream.next();
  const answer = client.callUnary(ASK, '');
  await until(() => server.openCalls === 2);

  await first.stop();
  const second = await startBroker({ binary, port: first.port });
  t.after(() => second.stop());
  await assert.rejects(collect(stream), { code: 'UNAVAILABLE', message: /connection/ });
  assert.equal(await answer, 'answered');
  // The server never heard of the end of the first attempts, and finds out.
  await until(() => server.openCalls === 0);
});

test('a server that starts anew under the same name disowns the calls of the one before', async () => {
  const broker = new MemoryBroker();
  const lost = broker.connect();
  const start = (bus: Bus) => new RpcServer(bus, { cluster: CLUSTER, serverId: 'server-1' });
  start(lost).serverStreaming(STREAM, async function* (_, call) {
    yield 'first';
    yield await untilAborted(call.signal);
  });
  const client = new RpcClient(broker.connect(), {
    ...{ cluster: CLUSTER, probeAfterMs: 20, idleTimeoutMs: 2 ** 30 },
  });
  const stream = client.callServerStreaming(STREAM, '');
  await stream.next();
  await lost.close();
  start(broker.connect());
  await assert.rejects(stream.next(), { code: 'UNAVAILABLE', message: 'the server is gone' });
});

test('killing the process of a server is UNAVAILABLE', async (t) => {
  const broker = await withBroker(t);
  if (broker === undefined) return;
  const bus = await connectNats({ servers: broker.url, name: 'client' });
  t.after(() => bus.close());
  const client = new RpcClient(bus, {
    cluster: CLUSTER,
    probeAfterMs: 50,
    maxBufferedMessages: 4,
  });
  const server = fork(fileURLToPath(new URL('./fixtures/endless-server.js', import.meta.url)), [
    broker.url,
  ]);
  await once(server, 'message');
  const stream = client.callServerStreaming(STREAM, '');
  await stream.next();
  server.kill('SIGKILL');
  await once(server, 'exit');
  const { received, code } = await readToEnd(stream);
  assert.equal(code, 'UNAVAILABLE');
  assert.deepEqual(received, range(received.length + 1).slice(1));
});

function nextReconnect(bus: Bus): Promise<void> {
  return new Promise((resolve) => {
    bus.onStatus((status) => {
      if (status === 'reconnected') resolve();
    });
  });
}
