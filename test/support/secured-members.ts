import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CoordinatorMessage } from '../../services/runtime/coordinator/coordinator-messages.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import type { ManagedProcess } from '../../services/runtime/process/managed-process.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import type { SecuredBroker } from './secured-broker.ts';

/** A process of a cluster, with the message by which it said that it is ready. */
export interface Member<Message> {
  readonly node: ManagedProcess;
  readonly message: Message | undefined;
}

/** Starts one of the programs as a member, and waits for the message that is awaited, if any. */
export async function startAs<Message>(
  t: TestContext,
  { broker, seedOf }: SecuredBroker,
  program: {
    readonly member: string;
    readonly entry: string;
    readonly args: readonly string[];
    readonly isAwaited?: (message: Message) => boolean;
  },
): Promise<Member<Message>> {
  const { member, entry, args, isAwaited } = program;
  let resolveAwaited: (message: Message) => void = () => {};
  const awaited = new Promise<Message>((resolve) => {
    resolveAwaited = resolve;
  });
  const node = spawnNode({
    name: member,
    entry: packagePath(`dist/services/${entry}/main.js`),
    args: ['--nats', broker.url, '--cluster', 'test', ...args],
    env: { SOHU_NATS_NKEY_FILE: seedOf(member) },
    output: 'ignore',
    onMessage: (message) => {
      if (isAwaited?.(message as Message)) resolveAwaited(message as Message);
    },
  });
  t.after(() => node.stop());
  if (isAwaited === undefined) return { node, message: undefined };
  const ended = node.exited.then(({ stderrTail }) => assert.fail(`${member}: ${stderrTail}`));
  return { node, message: await Promise.race([awaited, ended]) };
}

/** Starts the chips of a group and their coordinator, and waits until it serves. */
export async function startGroup(
  t: TestContext,
  secured: SecuredBroker,
  { group, tp, options = [] }: { group: string; tp: number; options?: readonly string[] },
): Promise<ManagedProcess> {
  for (let seat = 0; seat < tp; seat++) {
    const member = `chip-${group}-${seat}`;
    const args = ['--group', group, '--rank', `${seat}`];
    await startAs(t, secured, { member, entry: 'worker', args });
  }
  const { node } = await startAs<CoordinatorMessage>(t, secured, {
    member: `coordinator-${group}`,
    entry: 'coordinator',
    args: ['--group', group, '--tp', `${tp}`, ...options],
    isAwaited: ({ kind }) => kind === 'ready',
  });
  return node;
}
