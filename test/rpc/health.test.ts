import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health, WHOLE_SERVER } from '../../services/rpc/health/health.ts';
import {
  HEALTH_CHECK,
  HEALTH_LIST,
  HEALTH_WATCH,
  serveHealth,
} from '../../services/rpc/health/health-service.ts';
import { BROKERS, makePair, until } from './toy-service.ts';

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  test(`health over ${name} is checked and watched`, async (t) => {
    const connect = await makeBroker(t);
    if (connect === undefined) return;
    const { server, client, serverBus } = await makePair(connect);
    const health = new Health();
    serveHealth(server, health);
    await serverBus.flush();

    assert.equal(await client.callUnary(HEALTH_CHECK, WHOLE_SERVER), 'SERVING');
    await assert.rejects(client.callUnary(HEALTH_CHECK, 'Toy'), { code: 'NOT_FOUND' });
    const watch = client.callServerStreaming(HEALTH_WATCH, 'Toy');
    assert.equal((await watch.next()).value, 'SERVICE_UNKNOWN');
    for (const status of ['SERVING', 'NOT_SERVING', 'UNKNOWN', 'SERVING'] as const) {
      health.set('Toy', status);
      health.set('Toy', status);
      assert.equal((await watch.next()).value, status);
      assert.equal(await client.callUnary(HEALTH_CHECK, 'Toy'), status);
    }
    assert.deepEqual(
      await client.callUnary(HEALTH_LIST, {}),
      new Map([
        [WHOLE_SERVER, 'SERVING'],
        ['Toy', 'SERVING'],
      ]),
    );
    await watch.return();
    await until(() => server.openCalls === 0);
  });
}
