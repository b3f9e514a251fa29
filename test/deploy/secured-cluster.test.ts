import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SohuClient } from '../../services/client/index.ts';
import type { GatewayMessage } from '../../services/runtime/cluster/gateway-messages.ts';
import type { CoordinatorMessage } from '../../services/runtime/coordinator/coordinator-messages.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import { type SecuredBroker, withSecuredBroker } from '../support/secured-broker.ts';

const REQUEST = { prompt: 'Once upon a time', maxTokens: 12, temperature: 0 };

/** Starts one of the programs as a member, and resolves to the message that is awaited. */
async function startAs<Message>(
  t: TestContext,
  { broker, seedOf }: SecuredBroker,
  program: {
    readonly member: string;
    readonly entry: string;
    readonly args: readonly string[];
    readonly isAwaited?: (message: Message) => boolean;
  },
): Promise<Message | undefined> {
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
  if (isAwaited === undefined) return undefined;
  const ended = node.exited.then(({ stderrTail }) => assert.fail(`${member}: ${stderrTail}`));
  return Promise.race([awaited, ended]);
}

async function startGroup(
  t: TestContext,
  secured: SecuredBroker,
  group: string,
  tp: number,
): Promise<void> {
  for (let seat = 0; seat < tp; seat++) {
    const member = `chip-${group}-${seat}`;
    const args = ['--group', group, '--rank', `${seat}`];
    await startAs(t, secured, { member, entry: 'worker', args });
  }
  await startAs<CoordinatorMessage>(t, secured, {
    member: `coordinator-${group}`,
    entry: 'coordinator',
    args: ['--group', group, '--tp', `${tp}`],
    isAwaited: ({ kind }) => kind === 'ready',
  });
}

test('two groups and a gateway serve clients through a broker with keys', async (t) => {
  const secured = await withSecuredBroker(t);
  if (secured === undefined) return;
  await Promise.all([startGroup(t, secured, '0', 2), startGroup(t, secured, '1', 1)]);
  const { broker, seedOf } = secured;
  const connect = (member: string): Promise<SohuClient> =>
    SohuClient.connect(broker.url, { cluster: 'test', nkeyFile: seedOf(member), retry: false });
  const alice = await connect('client-alice');
  t.after(() => alice.close());
  // Several at once, so that both coordinators take some.
  const completions = await Promise.all(Array.from({ length: 8 }, () => alice.generate(REQUEST)));
  const texts = completions.map(({ choices }) => choices[0]!.text);
  assert.equal(new Set(texts).size, 1);
  const bob = await connect('client-bob');
  t.after(() => bob.close());
  assert.equal((await bob.generate(REQUEST)).choices[0]!.text, texts[0]);

  const listening = await startAs<GatewayMessage>(t, secured, {
    member: 'gateway',
    entry: 'gateway',
    args: ['--port', '0'],
    isAwaited: ({ kind }) => kind === 'listening',
  });
  assert.ok(listening?.kind === 'listening');
  const answer = await fetch(`${listening.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: REQUEST.prompt, max_tokens: 12, temperature: 0 }),
  });
  const { choices } = (await answer.json()) as { choices: { text: string }[] };
  assert.equal(choices[0]!.text, texts[0]);
});
