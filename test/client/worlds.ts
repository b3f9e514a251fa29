import type { TestContext } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { SohuClient } from '../../services/client/index.ts';
import { type InferenceEngine, serveInference } from '../../services/rpc/inference-service.ts';
import { RpcServer } from '../../services/rpc/server.ts';
import { withBroker } from '../support/broker.ts';

/** A client, and a server for it to talk to. */
export interface World {
  readonly client: SohuClient;
  readonly server: RpcServer;
}

type MakeWorld = (t: TestContext, engine: InferenceEngine) => Promise<World | undefined>;

/** By the name of the broker between them; undefined where the test is skipped for want of one. */
export const WORLDS: Readonly<Record<string, MakeWorld>> = {
  'the memory broker': async (_, engine) => makeMemoryWorld(engine),
  'a NATS server': async (t, engine) => {
    const broker = await withBroker(t);
    if (broker === undefined) return undefined;
    const bus = await connectNats({ servers: broker.url, name: 'server' });
    const server = serve(bus, engine);
    await bus.flush();
    const client = await SohuClient.connect(broker.url);
    t.after(() => Promise.all([client.close(), bus.close()]));
    return { server, client };
  },
};

/** Both over a broker in memory. */
export function makeMemoryWorld(engine: InferenceEngine): World {
  const broker = new MemoryBroker();
  return { server: serve(broker.connect(), engine), client: SohuClient.over(broker.connect()) };
}

function serve(bus: Bus, engine: InferenceEngine): RpcServer {
  const server = new RpcServer(bus, { cluster: 'sohu', serverId: 'server-1' });
  serveInference(server, engine);
  return server;
}
