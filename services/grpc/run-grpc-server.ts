import { connectNats } from '../bus/nats-bus.ts';
import { RpcClient } from '../rpc/client.ts';
import type { GrpcMessage } from '../runtime/cluster/grpc-messages.ts';
import type { GrpcProcessOptions } from '../runtime/options/grpc-options.ts';
import { connectionOf } from '../runtime/options/node-options.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';
import { GrpcServer } from './grpc-server.ts';

/** Runs a gRPC server before a cluster, until it is told to stop. */
export async function runGrpcServer(options: GrpcProcessOptions): Promise<void> {
  process.title = 'sohu: grpc';
  const { cluster, host, port } = options;
  const bus = await connectNats({ ...connectionOf(options), name: `${cluster} grpc` });
  const client = new RpcClient(bus, { cluster });
  const server = new GrpcServer(client);
  try {
    tellParent({ kind: 'listening', address: await server.listen({ host, port }) });
  } catch (error) {
    await bus.close();
    const message = `gRPC cannot be served at port ${port} of ${host}: ${(error as Error).message}`;
    tellParent({ kind: 'refused', message });
    process.exitCode = 1;
    return;
  }
  onStopSignal(async () => {
    await server.close();
    client.close();
    await bus.close();
  });
}

/** A server that nobody started, as in Compose, has nobody to tell: there it only logs. */
function tellParent(message: GrpcMessage): void {
  process.send?.(message);
  if (message.kind === 'listening') console.log(`listening at ${message.address}`);
  else console.error(message.message);
}
