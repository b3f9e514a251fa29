import type { TestContext } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import {
  type ClusterMembers,
  createClusterKeys,
  seedFile,
  writeClusterKeys,
} from '../../services/runtime/broker/cluster-keys.ts';
import { type Broker, startBroker } from '../../services/runtime/broker/nats-server.ts';
import { anonymousPermissions } from '../../services/runtime/broker/permissions.ts';
import { natsServerBinary } from './broker.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** A real broker that knows its members by keys. */
export interface SecuredBroker {
  readonly broker: Broker;
  /** The file with a member's seed, such as `chip-0-1`. */
  seedOf(member: string): string;
  /** A connection as a member, or as nobody. */
  connect(member?: string): Promise<Bus>;
}

const MEMBERS: ClusterMembers = {
  cluster: 'test',
  groups: ['0', '1'],
  chips: [[0], [1], [2, 3]],
  clients: ['alice', 'bob'],
};

/** Starts one for the length of a test; undefined where the test is skipped for want of a server. */
export async function withSecuredBroker(
  t: TestContext,
  options: { readonly anonymous?: boolean } = {},
): Promise<SecuredBroker | undefined> {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return undefined;
  const anonymous = { permissions: anonymousPermissions(MEMBERS.cluster), password: 'unused' };
  const keys = createClusterKeys(MEMBERS, options.anonymous ? anonymous : undefined);
  const directory = makeTemporaryDirectory(t);
  writeClusterKeys(directory, keys);
  const broker = await startBroker({ binary, authorization: keys.authorization });
  t.after(() => broker.stop());
  const seedOf = (member: string): string => seedFile(directory, member);
  return {
    broker,
    seedOf,
    connect: async (member) => {
      const bus = await connectNats({
        servers: broker.url,
        name: member ?? 'nobody',
        nkeyFile: member === undefined ? undefined : seedOf(member),
      });
      t.after(() => bus.close());
      return bus;
    },
  };
}
