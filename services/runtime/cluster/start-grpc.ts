import { memberName } from '../broker/cluster-keys.ts';
import type { Broker } from '../broker/nats-server.ts';
import { packagePath } from '../package-info.ts';
import { spawnNode } from '../process/spawn-node.ts';
import type { ClusterLogs } from '../state/cluster-logs.ts';
import { AddressUnavailableError } from './address-unavailable-error.ts';
import type { ClusterProcesses } from './cluster-processes.ts';
import type { EphemeralKeys } from './ephemeral-keys.ts';
import type { GrpcMessage } from './grpc-messages.ts';

/**
 * Starts the gRPC server of a cluster on this machine, and resolves to its `host:port` once it
 * listens; without a port there is none. Throws an AddressUnavailableError where it cannot listen.
 */
export async function startGrpc(options: {
  readonly port: number | undefined;
  readonly cluster: string;
  readonly broker: Broker;
  readonly processes: ClusterProcesses;
  readonly keys: EphemeralKeys;
  readonly logs?: ClusterLogs | undefined;
}): Promise<string | undefined> {
  const { port, cluster, broker, processes, keys, logs } = options;
  if (port === undefined) return undefined;
  return new Promise((resolve, reject) => {
    void processes.failed.then(reject);
    const onMessage = (message: unknown): void => {
      const news = message as GrpcMessage;
      if (news.kind === 'listening') resolve(news.address);
      else reject(new AddressUnavailableError(news.message));
    };
    processes.addHead(
      spawnNode({
        name: 'the gRPC server',
        entry: packagePath('dist/services/grpc/main.js'),
        args: ['--nats', broker.url, '--cluster', cluster, '--port', String(port)],
        env: keys.environment(memberName({ kind: 'gateway' })),
        output: logs?.of('the gRPC server') ?? 'ignore',
        onMessage,
      }),
    );
  });
}
