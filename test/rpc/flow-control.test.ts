import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { allowsMore, type Credit, NO_CREDIT, withMessage } from '../../services/rpc/credit.ts';
import { CreditGate } from '../../services/rpc/credit-gate.ts';
import { CreditWindow } from '../../services/rpc/credit-window.ts';
import { encodeServerFrame } from '../../services/rpc/server-frame.ts';
import { heapBytes } from './heap.ts';
import {
  BROKERS,
  CLUSTER,
  collect,
  countForever,
  makePair,
  nextTurn,
  range,
  STREAM,
  until,
} from './toy-service.ts';

const STREAMS = 1_000;
const MESSAGE_BYTES = 16_384;

/** A handler that counts what is pulled from it, in all and by request. */
function makeSource(options: { readonly count: number; readonly bytes: number }) {
  const pulled = new Map<string, number>();
  async function* stream(request: string): AsyncGenerator<string> {
    for (let i = 0; i < options.count; i += 1) {
      if (i % 8 === 0) await nextTurn();
      pulled.set(request, i + 1);
      yield `${i}`.padEnd(options.bytes, '.');
    }
  }
  return { stream, pulled };
}

/** Waits until nothing more is pulled for some turns of the event loop and of the broker. */
async function untilStill(pulled: ReadonlyMap<string, number>, flush: () => Promise<void>) {
  const total = () => [...pulled.values()].reduce((sum, count) => sum + count, 0);
  for (let before = -1; before !== total(); ) {
    before = total();
    for (let i = 0; i < 20; i += 1) await flush();
  }
}

test('client and server agree on the credit whatever grants are lost, late or repeated', () => {
  const bytes = fc.integer({ min: 0, max: 40 });
  const action = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), bytes }),
    fc.record({ kind: fc.constant('read' as const) }),
    fc.record({ kind: fc.constant('deliver' as const), which: fc.nat() }),
  );
  const size = fc.record({
    messages: fc.integer({ min: 1, max: 8 }),
    bytes: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(size, fc.array(action, { maxLength: 300 }), (window, actions) => {
      const client = new CreditWindow(window);
      const server = new CreditGate(window);
      const grants: Credit[] = [];
      const buffered: number[] = [];
      for (const each of actions) {
        if (each.kind === 'send' && server.isOpen) {
          server.spend(each.bytes);
          assert.ok(client.receive(each.bytes), 'the server had credit that the client denies');
          buffered.push(each.bytes);
        }
        if (each.kind === 'read' && buffered.length > 0) {
          if (client.take(buffered.shift()!)) grants.push(client.granted);
        }
        if (each.kind === 'deliver' && grants.length > 0) {
          server.grant(grants[each.which % grants.length]!);
        }
        const waiting = buffered.reduce((sum, one) => sum + one, 0);
        assert.ok(buffered.length <= window.messages);
        assert.ok(waiting <= window.bytes + 40, 'only the last message may exceed the window');
      }
      // A reader that takes everything always lets the server go on.
      for (const one of buffered) {
        if (client.take(one)) grants.push(client.granted);
      }
      for (const grant of grants.reverse()) server.grant(grant);
      assert.ok(server.isOpen);
    }),
    { numRuns: 1_000 },
  );
});

test('a message may begin while messages and bytes are both left', () => {
  assert.equal(allowsMore({ messages: 1, bytes: 1 }, NO_CREDIT), true);
  assert.equal(allowsMore(NO_CREDIT, NO_CREDIT), false);
  assert.equal(allowsMore({ messages: 9, bytes: 10 }, withMessage(NO_CREDIT, 10)), false);
  assert.equal(allowsMore({ messages: 1, bytes: 99 }, withMessage(NO_CREDIT, 1)), false);
});

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  suite(`flow control over ${name}`, () => {
    test('the handler is not pulled beyond what the reader has made room for', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const windows = [
        { client: { maxBufferedMessages: 10 }, most: 10 },
        { client: { maxBufferedBytes: 10 * MESSAGE_BYTES }, most: 10 },
      ];
      for (const { client: options, most } of windows) {
        const { server, client, serverBus } = await makePair(connect, { client: options });
        const { stream, pulled } = makeSource({ count: 100, bytes: MESSAGE_BYTES });
        server.serverStreaming(STREAM, stream);
        await serverBus.flush();
        const responses = client.callServerStreaming(STREAM, '');
        let read = 0;
        for await (const response of responses) {
          assert.equal(Number.parseInt(response, 10), read);
          read += 1;
          if (read % 25 === 0) {
            await untilStill(pulled, () => serverBus.flush());
            // One more is held back by the server until there is credit for it.
            assert.ok(pulled.get('')! <= read + most + 1, `${pulled.get('')} after ${read}`);
          }
        }
        assert.equal(read, 100);
        await server.stop();
      }
    });

    test('a reader that makes no room ends with RESOURCE_EXHAUSTED, behind what it was sent', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect, {
        client: { maxBufferedMessages: 8 },
        server: { stallTimeoutMs: 30 },
      });
      server.serverStreaming(STREAM, countForever);
      await serverBus.flush();
      const stream = client.callServerStreaming(STREAM, '');
      assert.equal((await stream.next()).value, '0');
      await until(() => server.openCalls === 0);
      const received: string[] = [];
      const reading = async () => {
        for await (const item of stream) received.push(item);
      };
      await assert.rejects(reading, { code: 'RESOURCE_EXHAUSTED', message: /too slow/ });
      assert.deepEqual(received, range(8).slice(1));
    });

    test('cancelling a call that waits for credit frees its handler', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect, {
        client: { maxBufferedMessages: 2 },
      });
      const { stream, pulled } = makeSource({ count: 1e9, bytes: 1 });
      server.serverStreaming(STREAM, stream);
      await serverBus.flush();
      const responses = client.callServerStreaming(STREAM, '');
      await responses.next();
      await untilStill(pulled, () => serverBus.flush());
      await responses.return();
      await until(() => server.openCalls === 0);
      const late = client.callServerStreaming(STREAM, '', { timeoutMs: 50 });
      await late.next();
      await until(() => server.openCalls === 0);
      await assert.rejects(collect(late), { code: 'DEADLINE_EXCEEDED' });
    });

    test(`${STREAMS} streams share a connection, and slow ones cost only their own windows`, async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const window = 4;
      const { server, client, serverBus, clientBus } = await makePair(connect, {
        client: { maxBufferedMessages: window },
      });
      const { stream, pulled } = makeSource({ count: 40, bytes: MESSAGE_BYTES });
      server.serverStreaming(STREAM, stream);
      await serverBus.flush();
      const before = heapBytes();

      const slow = range(STREAMS / 2).map((i) => client.callServerStreaming(STREAM, `slow ${i}`));
      await Promise.all(slow.map((each) => each.next()));
      // All others run to their end while half of the streams stand still.
      const fast = range(STREAMS / 2).map((i) => client.callServerStreaming(STREAM, `fast ${i}`));
      const lengths = await Promise.all(fast.map(async (each) => (await collect(each)).length));
      assert.ok(lengths.every((length) => length === 40));
      await untilStill(pulled, async () => {
        await serverBus.flush();
        await clientBus.flush();
      });

      assert.equal(client.openCalls, STREAMS / 2);
      assert.equal(server.openCalls, STREAMS / 2);
      for (const [request, count] of pulled) {
        if (request.startsWith('slow')) assert.ok(count <= 1 + window + 1, `${request}: ${count}`);
      }
      // What may be buffered, and as much again for the calls themselves.
      const most = 2 * (STREAMS / 2) * (window + 1) * MESSAGE_BYTES;
      const used = heapBytes() - before;
      assert.ok(used < most, `${used} bytes`);

      const rest = await Promise.all(slow.map(async (each) => (await collect(each)).length));
      assert.ok(rest.every((length) => length === 39));
      assert.equal(client.openCalls, 0);
      assert.equal(client.droppedFrames, 0);
      await until(() => server.openCalls === 0);
    });

    test(`${STREAMS} endless streams hold on one connection`, async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.serverStreaming(STREAM, countForever);
      await serverBus.flush();
      const streams = range(STREAMS).map((i) => client.callServerStreaming(STREAM, i));
      const readSome = async (count: number) => {
        await Promise.all(
          streams.map(async (stream) => {
            for (let i = 0; i < count; i += 1) await stream.next();
          }),
        );
      };
      await readSome(10);
      const before = heapBytes();
      await readSome(60);
      assert.equal(server.openCalls, STREAMS);
      const used = heapBytes() - before;
      assert.ok(used < 16 * 2 ** 20, `${used} bytes`);
      await Promise.all(streams.map((stream) => stream.return()));
      await until(() => server.openCalls === 0);
      assert.equal(client.openCalls, 0);
    });
  });
}

test('a server that ignores the credit breaks its call, not the memory of the client', async (t) => {
  const connect = (await BROKERS['the memory broker']!(t))!;
  const { client, serverBus } = await makePair(connect, { client: { maxBufferedMessages: 8 } });
  serverBus.subscribe(`sohu.${CLUSTER}.api.Toy.*`, ({ replyTo }) => {
    const callId = replyTo!.split('.').at(-1)!;
    const accepted = { kind: 'accepted', serverId: 'greedy' } as const;
    serverBus.publish(replyTo!, encodeServerFrame({ callId, sequence: 0, body: accepted }));
    for (let sequence = 1; sequence <= 30; sequence += 1) {
      const body = { kind: 'message', payload: Buffer.from('x') } as const;
      serverBus.publish(replyTo!, encodeServerFrame({ callId, sequence, body }));
    }
  });
  const received: string[] = [];
  const reading = async () => {
    for await (const item of client.callServerStreaming(STREAM, '')) received.push(item);
  };
  await assert.rejects(reading, { code: 'INTERNAL', message: /more messages than it may/ });
  assert.ok(received.length <= 8);
});
