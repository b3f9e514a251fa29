import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { SohuClient } from '../../services/client/index.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { RpcError } from '../../services/rpc/status.ts';
import { serveTelemetry } from '../../services/rpc/telemetry-service.ts';
import { get, makeGateway } from '../gateway/make-gateway.ts';
import { StandInEngine } from '../gateway/stand-in-engine.ts';
import { parseExposition, total } from './exposition.ts';

const CLUSTER = 'test';

function seriesOf(engine: string, tokens: number): string {
  const labels = `model_name="on the engine \\"x\\"",engine="${engine}"`;
  return (
    '# HELP vllm:generation_tokens_total Tokens.\n# TYPE vllm:generation_tokens_total counter\n' +
    `vllm:generation_tokens_total{${labels}} ${tokens}\n`
  );
}

/** Starts an engine that only tells of itself. */
function startEngine(broker: MemoryBroker, engine: string, tokens: number): RpcServer {
  const server = new RpcServer(broker.connect(), {
    cluster: CLUSTER,
    serverId: `engine-${engine}`,
  });
  serveTelemetry(server, {
    metrics: async () => ({ text: seriesOf(engine, tokens), engine }),
    snapshot: () => {
      throw new RpcError('UNIMPLEMENTED', 'not here');
    },
    watch: () => {
      throw new RpcError('UNIMPLEMENTED', 'not here');
    },
  });
  return server;
}

function connect(t: TestContext, broker: MemoryBroker): SohuClient {
  const client = SohuClient.over(broker.connect(), { cluster: CLUSTER, retry: false });
  t.after(() => client.close());
  return client;
}

async function scrape(gateway: ReturnType<typeof makeGateway>) {
  const { status, body } = await get(gateway, '/metrics');
  assert.equal(status, 200);
  return parseExposition(body);
}

suite('the engines of a cluster', () => {
  test('are found, and each answers for itself', async (t) => {
    const broker = new MemoryBroker();
    for (const [index, name] of ['a', 'b', 'c'].entries()) startEngine(broker, name, index);
    const other = new RpcServer(broker.connect(), { cluster: 'other', serverId: 'stranger' });
    serveTelemetry(other, {} as never);
    const client = connect(t, broker);
    const { telemetry } = client;
    const servers = await telemetry.servers();
    assert.deepEqual(servers, ['engine-a', 'engine-b', 'engine-c']);
    for (const serverId of servers) {
      const { engine } = await telemetry.metrics({ serverId });
      assert.equal(`engine-${engine}`, serverId);
    }
    await assert.rejects(telemetry.metrics({ serverId: 'engine-d' }), { code: 'UNAVAILABLE' });
    const gone = client.serverInfo({ serverId: 'engine-a' });
    await assert.rejects(gone, { code: 'UNAVAILABLE' }, 'only telemetry is for each engine');
    await assert.rejects(telemetry.metrics({ serverId: 'a.>' }), { code: 'INVALID_ARGUMENT' });
  });

  test('all stand in one scrape of the gateway, and who goes away is missed', async (t) => {
    const broker = new MemoryBroker();
    const servers = ['0', '1'].map((name, index) => startEngine(broker, name, 10 + index));
    const gateway = makeGateway(t, connect(t, broker));
    const both = await scrape(gateway);
    for (const [index, engine] of ['0', '1'].entries()) {
      const labels = { engine, model_name: 'tinystories-5m' };
      assert.equal(total(both, 'vllm:generation_tokens_total', labels), 10 + index);
      assert.equal(total(both, 'sohu_gateway_engine_up', { engine }), 1);
    }
    assert.equal(total(both, 'sohu_gateway_engines'), 2);
    await servers[1]!.stop();
    const one = await scrape(gateway);
    assert.equal(total(one, 'vllm:generation_tokens_total'), 10);
    assert.equal(total(one, 'sohu_gateway_engine_up', { engine: '1' }), 0);
    await servers[0]!.stop();
    const none = await scrape(gateway);
    assert.ok(!none.has('vllm:generation_tokens_total'));
    assert.equal(total(none, 'sohu_gateway_engine_up'), 0);
    assert.equal(total(none, 'sohu_gateway_engines'), 0);
    startEngine(broker, '1', 5);
    const again = await scrape(gateway);
    assert.equal(total(again, 'vllm:generation_tokens_total', { engine: '1' }), 5);
    assert.equal(total(again, 'sohu_gateway_engine_up', { engine: '1' }), 1);
  });

  test('leave the gateway its own series when none of them answers', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    engine.series = new RpcError('UNAVAILABLE', 'nobody is there');
    const own = await scrape(gateway);
    assert.equal(total(own, 'sohu_gateway_engines'), 0);
    assert.equal(total(own, 'sohu_gateway_open_requests'), 0);
    assert.ok(total(own, 'process_start_time_seconds') > 0);
    engine.series = seriesOf('0', 3);
    assert.equal(total(await scrape(gateway), 'vllm:generation_tokens_total'), 3);
  });
});
