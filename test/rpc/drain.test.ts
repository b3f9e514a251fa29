import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { CallCounts } from '../../services/rpc/call-counts.ts';
import { RpcClient } from '../../services/rpc/client.ts';
import type { ServerStreamingMethod } from '../../services/rpc/method.ts';
import { RpcServer } from '../../services/rpc/server.ts';

const text = {
  encode: (value: string) => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

function method(name: string): ServerStreamingMethod<string, string> {
  return {
    kind: 'serverStreaming',
    service: 'Test',
    method: name,
    encodeRequest: text.encode,
    decodeRequest: text.decode,
    encodeResponse: text.encode,
    decodeResponse: text.decode,
  };
}

const WORK = method('Work');
const WATCH = method('Watch');

/** A server whose work goes on until it is told, and whose watch never ends. */
function makeServer() {
  const broker = new MemoryBroker();
  const place = { cluster: 'test' };
  const server = new RpcServer(broker.connect(), { ...place, serverId: 'one' });
  const client = new RpcClient(broker.connect(), place);
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  server.serverStreaming(WORK, async function* () {
    yield 'begun';
    await finished;
    yield 'done';
  });
  server.serverStreaming(WATCH, async function* (_, { signal }) {
    yield 'watching';
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const begin = (called: typeof WORK): AsyncIterator<string> =>
    client.callServerStreaming(called, '', {})[Symbol.asyncIterator]();
  return { server, finish, begin };
}

suite('a server that drains', () => {
  test('takes no more calls, lets the work finish, and does not wait for who only watches', async () => {
    const { server, finish, begin } = makeServer();
    const [work, watch] = [begin(WORK), begin(WATCH)];
    assert.equal((await work.next()).value, 'begun');
    assert.equal((await watch.next()).value, 'watching');
    let isDrained = false;
    const drained = server.drain(WORK, 60_000).then(() => {
      isDrained = true;
    });
    await assert.rejects(async () => begin(WORK).next(), { code: 'UNAVAILABLE' });
    assert.ok(!isDrained);
    finish();
    assert.equal((await work.next()).value, 'done');
    assert.ok((await work.next()).done);
    await drained;
    await server.stop();
    await assert.rejects(async () => watch.next(), { code: 'UNAVAILABLE' });
  });

  test('ends the work that outlasts the limit', async () => {
    const { server, begin } = makeServer();
    const work = begin(WORK);
    await work.next();
    await server.drain(WORK, 1);
    await server.stop();
    await assert.rejects(async () => work.next(), { code: 'UNAVAILABLE' });
  });

  test('is done at once where nothing is open', async () => {
    await makeServer().server.drain(WORK, 60_000);
  });
});

test('who waits for the calls of one name is not told of others', async () => {
  const counts = new CallCounts();
  counts.begin('a');
  counts.begin('a');
  counts.begin('b');
  let none = false;
  const waited = counts.untilNone('a', 60_000).then(() => {
    none = true;
  });
  counts.end('b');
  counts.end('a');
  await turn();
  assert.ok(!none);
  counts.end('a');
  await waited;
});
