import type { FastifyInstance, FastifyReply } from 'fastify';
import { Registry } from 'prom-client';
import { packageVersion } from '../../runtime/package-info.ts';
import { EngineSeries } from '../engine-series.ts';
import type { GatewayContext } from '../gateway-context.ts';

/** What those who run the gateway ask: whether it lives, how it is, and what it counted. */
export function addOperationRoutes(app: FastifyInstance, context: GatewayContext): void {
  const { watch, requests, metrics, engine, model } = context;
  const series = new EngineSeries(engine, model.name);
  const version = packageVersion();
  app.get('/health', async (_request, reply) => {
    await sendEmpty(reply, (await watch.health()) !== 'dead');
  });
  app.get('/health/ready', async (_request, reply) => {
    await sendEmpty(reply, (await watch.health()) === 'ready');
  });
  app.route({
    method: ['GET', 'POST'],
    url: '/ping',
    handler: async (_request, reply) => sendEmpty(reply, (await watch.health()) !== 'dead'),
  });
  app.get('/version', async () => ({ version }));
  app.get('/load', async () => ({ server_load: requests.count }));
  app.get('/metrics', async (_request, reply) =>
    reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await metrics.text(series)),
  );
}

function sendEmpty(reply: FastifyReply, isWell: boolean): FastifyReply {
  return reply.code(isWell ? 200 : 503).send();
}
