import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { InvalidArgumentError } from '../../services/core/support/errors.ts';
import { RpcClient } from '../../services/rpc/client.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { RpcError } from '../../services/rpc/status.ts';
import {
  ASK,
  BROKERS,
  CLUSTER,
  collect,
  countForever,
  countTo,
  makePair,
  range,
  STREAM,
  tamperedBus,
  until,
  untilAborted,
} from './toy-service.ts';

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  suite(`calls over ${name}`, () => {
    test('a stream arrives whole and in order', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.serverStreaming(STREAM, countTo);
      await serverBus.flush();
      for (const count of [0, 1, 2, 500]) {
        const received = await collect(client.callServerStreaming(STREAM, String(count)));
        assert.deepEqual(received, range(count));
      }
      assert.equal(client.openCalls, 0);
      assert.equal(client.droppedFrames, 0);
      await until(() => server.openCalls === 0);
    });

    test('a hundred concurrent streams do not mix', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.serverStreaming(STREAM, countTo);
      await serverBus.flush();
      const counts = Array.from({ length: 100 }, (_, i) => 20 + i);
      const streams = counts.map((count) =>
        collect(client.callServerStreaming(STREAM, String(count))),
      );
      assert.deepEqual(await Promise.all(streams), counts.map(range));
      assert.equal(client.droppedFrames, 0);
    });

    test('two servers share the calls', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      const other = await makePair(connect, { server: { serverId: 'server-2' } });
      server.unary(ASK, () => 'one');
      other.server.unary(ASK, () => 'two');
      await Promise.all([serverBus.flush(), other.serverBus.flush()]);
      const answers = await Promise.all(range(64).map((i) => client.callUnary(ASK, i)));
      assert.deepEqual(new Set(answers), new Set(['one', 'two']));
    });

    test('leaving the loop cancels the call at the server', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      let signal: AbortSignal | undefined;
      server.serverStreaming(STREAM, (_, call) => {
        signal = call.signal;
        return countForever();
      });
      await serverBus.flush();
      for await (const item of client.callServerStreaming(STREAM, '')) {
        if (item === '10') break;
      }
      await until(() => server.openCalls === 0);
      assert.equal(signal?.aborted, true);
      assert.equal(RpcError.from(signal.reason).code, 'CANCELLED');
      assert.equal(client.openCalls, 0);
    });

    test("the client's signal cancels a call that waits", async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      const controller = new AbortController();
      server.unary(ASK, (_, call) => {
        controller.abort();
        return untilAborted(call.signal);
      });
      await serverBus.flush();
      const answer = client.callUnary(ASK, '', { signal: controller.signal });
      await assert.rejects(answer, { name: 'RpcError', code: 'CANCELLED' });
      await until(() => server.openCalls === 0);
    });

    test('a call that was cancelled before it started is never sent', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { client } = await makePair(connect);
      const signal = AbortSignal.abort();
      await assert.rejects(client.callUnary(ASK, '', { signal }), { code: 'CANCELLED' });
      assert.equal(client.openCalls, 0);
    });

    test('the deadline ends the call on both sides', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      let signal: AbortSignal | undefined;
      let deadlineMs: number | undefined;
      server.serverStreaming(STREAM, (_, call) => {
        ({ signal, deadlineMs } = call);
        return countForever();
      });
      await serverBus.flush();
      const stream = client.callServerStreaming(STREAM, '', { timeoutMs: 50 });
      await assert.rejects(collect(stream), { code: 'DEADLINE_EXCEEDED' });
      await until(() => server.openCalls === 0);
      assert.equal(signal?.aborted, true);
      assert.equal(typeof deadlineMs, 'number');
    });

    test('errors keep their code and their message', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      const errors = [
        [new RpcError('NOT_FOUND', 'no such model'), 'NOT_FOUND'],
        [new InvalidArgumentError('top_p must be less'), 'INVALID_ARGUMENT'],
        [new Error('out of luck'), 'INTERNAL'],
      ] as const;
      server.serverStreaming(STREAM, async function* (request) {
        yield 'before';
        throw errors[Number(request)]![0];
      });
      await serverBus.flush();
      for (const [index, [error, code]] of errors.entries()) {
        const received: string[] = [];
        const reading = async () => {
          const stream = client.callServerStreaming(STREAM, String(index));
          for await (const item of stream) received.push(item);
        };
        await assert.rejects(reading, { code, message: error.message });
        assert.deepEqual(received, ['before']);
      }
    });

    test('a handler that throws at once, and one whose message is too large, end only their call', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.unary(ASK, (request) => {
        if (request === 'throw') throw new RpcError('ABORTED', 'no');
        return 'x'.repeat(Number(request));
      });
      await serverBus.flush();
      await assert.rejects(client.callUnary(ASK, 'throw'), { code: 'ABORTED' });
      await assert.rejects(client.callUnary(ASK, '1000001'), { code: 'RESOURCE_EXHAUSTED' });
      await assert.rejects(client.callUnary(ASK, 'x'.repeat(1_000_001)), {
        code: 'RESOURCE_EXHAUSTED',
      });
      assert.equal((await client.callUnary(ASK, '900000')).length, 900_000);
    });

    test('metadata travels with the call', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.unary(ASK, (name, call) => call.metadata.get(name) ?? 'absent');
      await serverBus.flush();
      const metadata = new Map([
        ['tenant', 'blue'],
        ['__proto__', 'odd'],
      ]);
      assert.equal(await client.callUnary(ASK, 'tenant', { metadata }), 'blue');
      assert.equal(await client.callUnary(ASK, '__proto__', { metadata }), 'odd');
      assert.equal(await client.callUnary(ASK, 'constructor', { metadata }), 'absent');
    });

    test('the server refuses calls beyond its bound at once, and takes them again later', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect, {
        server: { maxOpenCalls: 4 },
      });
      const release: (() => void)[] = [];
      server.unary(ASK, async () => {
        await new Promise<void>((resolve) => release.push(resolve));
        return 'done';
      });
      await serverBus.flush();
      const open = range(4).map((i) => client.callUnary(ASK, i));
      await until(() => release.length === 4);
      await assert.rejects(client.callUnary(ASK, ''), { code: 'RESOURCE_EXHAUSTED' });
      for (const each of release) each();
      assert.deepEqual(await Promise.all(open), ['done', 'done', 'done', 'done']);
      await until(() => server.openCalls === 0);
      const again = client.callUnary(ASK, '');
      await until(() => release.length === 5);
      release[4]!();
      assert.equal(await again, 'done');
    });

    test('a method that the service does not have is UNIMPLEMENTED', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.unary(ASK, () => '');
      await serverBus.flush();
      const call = client.callServerStreaming({ ...STREAM, method: 'Other' }, '');
      await assert.rejects(collect(call), { code: 'UNIMPLEMENTED' });
    });

    test('a unary call refuses a stream', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.serverStreaming({ ...STREAM, method: ASK.method }, countTo);
      await serverBus.flush();
      for (const count of ['0', '2']) {
        await assert.rejects(client.callUnary(ASK, count), { code: 'INTERNAL' });
      }
      assert.equal(await client.callUnary(ASK, '1'), '0');
    });

    test('a server that stops ends its calls with UNAVAILABLE', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect, {
        client: { connectTimeoutMs: 200 },
      });
      server.serverStreaming(STREAM, countForever);
      await serverBus.flush();
      const stream = client.callServerStreaming(STREAM, '');
      await stream.next();
      await server.stop();
      await assert.rejects(collect(stream), { code: 'UNAVAILABLE', message: /stopping/ });
      await assert.rejects(collect(client.callServerStreaming(STREAM, '')), {
        code: 'UNAVAILABLE',
      });
    });

    test('a client that closes ends its calls with CANCELLED', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.serverStreaming(STREAM, countForever);
      await serverBus.flush();
      const stream = client.callServerStreaming(STREAM, '');
      await stream.next();
      client.close();
      await assert.rejects(collect(stream), { code: 'CANCELLED' });
      await until(() => server.openCalls === 0);
      await assert.rejects(client.callUnary(ASK, ''), { code: 'FAILED_PRECONDITION' });
    });
    test('a call that no server listens for is refused at once', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      // With limits so long, only the broker's own answer can end the call within the test.
      const { client } = await makePair(connect, { client: { connectTimeoutMs: 2 ** 30 } });
      await assert.rejects(client.callUnary(ASK, '', { timeoutMs: 2 ** 30 }), {
        code: 'UNAVAILABLE',
        message: /listening/,
      });
    });

    test('a client that vanishes frees its calls, whatever their handlers wait for', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus, clientBus } = await makePair(connect, {
        server: { heartbeatIntervalMs: 10 },
        client: { maxBufferedMessages: 4 },
      });
      server.serverStreaming(STREAM, countForever);
      server.unary(ASK, (_, call) => untilAborted(call.signal));
      await serverBus.flush();
      const stream = client.callServerStreaming(STREAM, '');
      await stream.next();
      const answer = client.callUnary(ASK, '');
      await until(() => server.openCalls === 2);
      // A closed connection carries no cancellation.
      await clientBus.close();
      await assert.rejects(answer, { code: 'UNAVAILABLE' });
      await until(() => server.openCalls === 0);
    });

    test('a server that vanishes ends its calls, and never as if they were whole', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect, {
        client: { probeAfterMs: 10, maxBufferedMessages: 4 },
      });
      server.serverStreaming(STREAM, countForever);
      server.unary(ASK, (_, call) => untilAborted(call.signal));
      await serverBus.flush();
      const stream = client.callServerStreaming(STREAM, '');
      await stream.next();
      const answer = client.callUnary(ASK, '');
      await until(() => server.openCalls === 2);
      // A closed connection carries no end of a call.
      await serverBus.close();
      const gone = { code: 'UNAVAILABLE', message: /gone/ };
      await assert.rejects(answer, gone);
      await assert.rejects(collect(stream), gone);
    });

    test('a call that its client does not know any more is cancelled', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const serverBus = await connect();
      const clientBus = await connect();
      const options = { cluster: CLUSTER, serverId: 'server-1', heartbeatIntervalMs: 10 };
      const server = new RpcServer(serverBus, options);
      server.unary(ASK, (_, call) => untilAborted(call.signal));
      await serverBus.flush();
      // Every cancellation of this client is lost.
      const deaf = tamperedBus(clientBus, (data, subject) =>
        subject.includes('.control.') ? [] : [data],
      );
      const client = new RpcClient(deaf, { cluster: CLUSTER });
      const controller = new AbortController();
      const answer = client.callUnary(ASK, '', { signal: controller.signal });
      await until(() => server.openCalls === 1);
      controller.abort();
      await assert.rejects(answer, { code: 'CANCELLED' });
      await until(() => server.openCalls === 0);
    });
  });
}

test('timeouts must be whole milliseconds', async (t) => {
  const connect = (await BROKERS['the memory broker']!(t))!;
  const { client } = await makePair(connect);
  for (const timeoutMs of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
    await assert.rejects(client.callUnary(ASK, '', { timeoutMs }), { code: 'INVALID_ARGUMENT' });
  }
});
