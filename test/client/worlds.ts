import type { TestContext } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { SohuClient, type SohuClientOptions } from '../../services/client/index.ts';
import { Health } from '../../services/rpc/health/health.ts';
import { serveHealth } from '../../services/rpc/health/health-service.ts';
import { type InferenceEngine, serveInference } from '../../services/rpc/inference-service.ts';
import type { ServerInterceptor } from '../../services/rpc/served-method.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { withBroker } from '../support/broker.ts';

/** A client, and a server for it to talk to. */
export interface World {
  readonly client: SohuClient;
  readonly server: RpcServer;
  readonly health: Health;
}

export interface WorldOptions {
  readonly client?: SohuClientOptions;
  readonly interceptors?: readonly ServerInterceptor[];
}

type MakeWorld = (
  t: TestContext,
  engine: InferenceEngine,
  options?: WorldOptions,
) => Promise<World | undefined>;

/** By the name of the broker between them; undefined where the test is skipped for want of one. */
export const WORLDS: Readonly<Record<string, MakeWorld>> = {
  'the memory broker': async (_, engine, options) => makeMemoryWorld(engine, options),
  'a NATS server': async (t, engine, options = {}) => {
    const broker = await withBroker(t);
    if (broker === undefined) return undefined;
    const bus = await connectNats({ servers: broker.url, name: 'server' });
    const served = serve(bus, engine, options);
    await bus.flush();
    const client = await SohuClient.connect(broker.url, options.client);
    t.after(() => Promise.all([client.close(), bus.close()]));
    return { ...served, client };
  },
};

/** Both over a broker in memory. */
export function makeMemoryWorld(engine: InferenceEngine, options: WorldOptions = {}): World {
  const broker = new MemoryBroker();
  const client = SohuClient.over(broker.connect(), options.client);
  return { ...serve(broker.connect(), engine, options), client };
}

function serve(
  bus: Bus,
  engine: InferenceEngine,
  { interceptors = [] }: WorldOptions,
): Omit<World, 'client'> {
  const server = new RpcServer(bus, { cluster: 'sohu', serverId: 'server-1', interceptors });
  const health = new Health();
  serveInference(server, engine);
  serveHealth(server, health);
  return { server, health };
}
