import type { Bus } from '../../bus/bus.ts';
import { MemoryBroker } from '../../bus/memory-bus.ts';
import { Health } from '../../rpc/health/health.ts';
import { serveHealth } from '../../rpc/health/health-service.ts';
import { INFERENCE_SERVICE } from '../../rpc/inference-methods.ts';
import { type InferenceEngine, serveInference } from '../../rpc/inference-service.ts';
import { RpcServer } from '../../rpc/server.ts';
import type { SohuClientOptions } from '../client-options.ts';
import { SohuClient } from '../sohu-client.ts';
import { type Reply, StandInEngine } from './stand-in-engine.ts';

const CLUSTER = 'sohu';

/**
 * A cluster inside the process, for the tests of programs that use the SDK: the real client and the
 * real RPC layer over a broker in memory, without sockets, before an engine that says what it is
 * told to.
 */
export class StandInCluster {
  readonly #broker = new MemoryBroker();
  readonly #bus: Bus;
  readonly #server: RpcServer;
  /** Which services take calls; all of them from the beginning. */
  readonly health = new Health();

  /** Takes what every prompt is answered with, or an engine. */
  constructor(behaviour: Reply | InferenceEngine) {
    const engine = typeof behaviour === 'function' ? new StandInEngine(behaviour) : behaviour;
    this.#bus = this.#broker.connect();
    this.#server = new RpcServer(this.#bus, { cluster: CLUSTER, serverId: 'stand-in' });
    this.health.set(INFERENCE_SERVICE, 'SERVING');
    serveInference(this.#server, engine);
    serveHealth(this.#server, this.health);
  }

  /** A client of its own connection, whose streams end with the cluster: it does not come back. */
  connect(options: Omit<SohuClientOptions, 'cluster'> = {}): SohuClient {
    return SohuClient.over(this.#broker.connect(), {
      resume: false,
      ...options,
      cluster: CLUSTER,
    });
  }

  /** Calls whose handlers have not finished. */
  get openCalls(): number {
    return this.#server.openCalls;
  }

  /** Ends open calls with UNAVAILABLE, and takes no more. */
  async stop(): Promise<void> {
    await this.#server.stop();
    await this.#bus.close();
  }
}
