import { isIPv6 } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { RpcClient } from '../rpc/client.ts';
import { RpcError } from '../rpc/status.ts';
import { ForwardedCall, type GrpcCall } from './forwarded-call.ts';
import { type GrpcMethod, grpcServices, serviceDefinition } from './grpc-services.ts';

/** Time for clients to take the end of their calls. */
const STOP_GRACE_MS = 1_000;

/** Serves the cluster's API as gRPC: every call goes over the bus as it is. */
export class GrpcServer {
  readonly #client: RpcClient;
  readonly #server = new Server();
  readonly #calls = new Set<ForwardedCall>();

  /** The client must not try again by itself: that is for the clients of gRPC to decide. */
  constructor(client: RpcClient) {
    this.#client = client;
    for (const methods of grpcServices()) {
      const handlers = Object.entries(methods).map(([name, method]) => [name, this.#serve(method)]);
      this.#server.addService(serviceDefinition(methods), Object.fromEntries(handlers));
    }
  }

  /** Listens, without encryption; port 0 is a free one. Resolves to `host:port`. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<string> {
    const name = isIPv6(host) ? `[${host}]` : host;
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`${name}:${port}`, ServerCredentials.createInsecure(), (error, at) =>
        error === null ? resolve(at) : reject(error),
      );
    });
    return `${name}:${bound}`;
  }

  /** Ends open calls with UNAVAILABLE, and takes no more. */
  async close(): Promise<void> {
    for (const call of this.#calls)
      call.abort(new RpcError('UNAVAILABLE', 'the server is stopping'));
    const force = setTimeout(() => this.#server.forceShutdown(), STOP_GRACE_MS);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(force);
  }

  /** Calls that are on their way. */
  get openCalls(): number {
    return this.#calls.size;
  }

  #serve({ onBus }: GrpcMethod): (call: GrpcCall) => void {
    return (call) => {
      const forwarded = new ForwardedCall(this.#client, call);
      this.#calls.add(forwarded);
      void forwarded.run(onBus, requestsOf(call)).finally(() => this.#calls.delete(forwarded));
    };
  }
}

async function* requestsOf(call: GrpcCall): AsyncGenerator<Uint8Array> {
  if ('request' in call) yield call.request;
  // To leave the loop must not end the call: it still has to say why.
  else yield* call.iterator({ destroyOnReturn: false });
}
