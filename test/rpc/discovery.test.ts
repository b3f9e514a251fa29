import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect as connectToNats, type ServiceStats } from 'nats';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { RpcClient } from '../../services/rpc/client.ts';
import { Health } from '../../services/rpc/health/health.ts';
import { serveHealth } from '../../services/rpc/health/health-service.ts';
import { MethodStats } from '../../services/rpc/method-stats.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { RpcError } from '../../services/rpc/status.ts';
import { withBroker } from '../support/broker.ts';
import { ASK, CLUSTER, collect, countForever, countTo, STREAM, until } from './toy-service.ts';

function serve(bus: Bus, serverId: string): RpcServer {
  const server = new RpcServer(bus, { cluster: CLUSTER, serverId, version: '1.2.3' });
  server.serverStreaming(STREAM, (request) =>
    request === 'for ever' ? countForever() : countTo(request),
  );
  server.unary(ASK, (request) => {
    if (request === 'fail') throw new RpcError('ABORTED', 'no luck');
    return request;
  });
  return server;
}

/** All answers to one question, on a broker where nothing is on its way afterwards. */
async function ask(bus: Bus, subject: string): Promise<Record<string, unknown>[]> {
  const answers: Record<string, unknown>[] = [];
  const replyTo = bus.newInbox();
  const subscription = bus.subscribe(replyTo, ({ data }) => {
    // Empty where nobody answers.
    if (data.length > 0) answers.push(JSON.parse(Buffer.from(data).toString()));
  });
  bus.publish(subject, new Uint8Array(), { replyTo });
  await bus.flush();
  await bus.flush();
  subscription.unsubscribe();
  return answers;
}

test('every server answers for each of its services, by all, by name and by id', async () => {
  const broker = new MemoryBroker();
  const bus = broker.connect();
  const servers = ['a', 'b'].map((id) => serve(broker.connect(), id));
  serveHealth(servers[1]!, new Health());
  const cases: [string, string[]][] = [
    ['', ['Toy a', 'Toy b', 'grpc-health-v1-Health b']],
    ['.Toy', ['Toy a', 'Toy b']],
    ['.Toy.b', ['Toy b']],
    ['.grpc-health-v1-Health', ['grpc-health-v1-Health b']],
    ['.Other', []],
    ['.Toy.c', []],
  ];
  for (const verb of ['PING', 'INFO', 'STATS']) {
    for (const [to, expected] of cases) {
      const answers = await ask(bus, `$SRV.${verb}${to}`);
      assert.deepEqual(answers.map(({ name, id }) => `${name} ${id}`).sort(), expected);
      for (const { type, version } of answers) {
        assert.equal(type, `io.nats.micro.v1.${verb.toLowerCase()}_response`);
        assert.equal(version, '1.2.3');
      }
    }
  }
  await servers[0]!.stop();
  assert.deepEqual(
    (await ask(bus, '$SRV.PING.Toy')).map(({ id }) => id),
    ['b'],
  );
});

test('a question that wants its answer elsewhere than in an inbox gets none', async () => {
  const broker = new MemoryBroker();
  const bus = broker.connect();
  serve(broker.connect(), 'a');
  let answers = 0;
  bus.subscribe('sohu.>', () => {
    answers += 1;
  });
  bus.publish('$SRV.PING', new Uint8Array(), { replyTo: 'sohu.test.elsewhere' });
  bus.publish('$SRV.PING', new Uint8Array());
  await bus.flush();
  await bus.flush();
  assert.equal(answers, 0);
});

test("NATS' own client lists our services, and their counts are true", async (t) => {
  const broker = await withBroker(t);
  if (broker === undefined) return;
  const serverBus = await connectNats({ servers: broker.url, name: 'server' });
  const clientBus = await connectNats({ servers: broker.url, name: 'client' });
  const connection = await connectToNats({ servers: broker.url });
  t.after(() => Promise.all([connection.close(), serverBus.close(), clientBus.close()]));
  const server = serve(serverBus, 'server-1');
  const client = new RpcClient(clientBus, { cluster: CLUSTER });
  await serverBus.flush();

  for (const request of ['a', 'b', 'fail']) {
    await client.callUnary(ASK, request).catch(() => {});
  }
  await collect(client.callServerStreaming(STREAM, '5'));
  const open = client.callServerStreaming(STREAM, 'for ever');
  await open.next();
  await until(() => server.openCalls === 1);

  const monitor = connection.services.client();
  const pings = await collect(await monitor.ping());
  assert.deepEqual(
    pings.map(({ name, id, version }) => [name, id, version]),
    [['Toy', 'server-1', '1.2.3']],
  );
  const [info] = await collect(await monitor.info('Toy'));
  assert.deepEqual(info?.metadata, { cluster: CLUSTER, service: 'Toy' });
  assert.deepEqual(info?.endpoints, [
    {
      name: 'Stream',
      subject: `sohu.${CLUSTER}.api.Toy.Stream`,
      queue_group: 'api',
      metadata: { kind: 'serverStreaming' },
    },
    {
      name: 'Ask',
      subject: `sohu.${CLUSTER}.api.Toy.Ask`,
      queue_group: 'api',
      metadata: { kind: 'unary' },
    },
  ]);
  const [stats] = (await collect(await monitor.stats('Toy', 'server-1'))) as ServiceStats[];
  assert.ok(stats?.started !== undefined && Date.parse(stats.started) <= Date.now());
  const [stream, asked] = stats.endpoints!;
  assert.deepEqual([stream!.num_requests, stream!.num_errors], [2, 0]);
  assert.deepEqual([asked!.num_requests, asked!.num_errors], [3, 1]);
  assert.equal(asked!.last_error, 'ABORTED: no luck');
  for (const each of [stream!, asked!]) {
    assert.ok(Number.isInteger(each.processing_time) && each.processing_time > 0);
    const average = Math.round(each.processing_time / each.num_requests);
    assert.equal(each.average_processing_time, average);
  }
  await open.return();
  await until(() => server.openCalls === 0);
  const [after] = (await collect(await monitor.stats('Toy'))) as ServiceStats[];
  assert.deepEqual([after!.endpoints![0]!.num_requests, after!.endpoints![0]!.num_errors], [2, 1]);
});

test('processing time counts open calls up to now', () => {
  const stats = new MethodStats();
  const endFirst = stats.begin(100);
  const endSecond = stats.begin(110);
  assert.equal(stats.counts(130).processingMs, 30 + 20);
  endFirst({ nowMs: 140, status: { code: 'OK', message: '', details: [] } });
  assert.equal(stats.counts(150).processingMs, 40 + 40);
  endSecond({ nowMs: 160, status: { code: 'INTERNAL', message: 'x', details: [] } });
  assert.deepEqual(stats.counts(1_000), {
    requests: 2,
    errors: 1,
    processingMs: 40 + 50,
    lastError: 'INTERNAL: x',
  });
});
