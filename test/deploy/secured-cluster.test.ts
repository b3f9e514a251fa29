import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nkeys } from 'nats';
import { type GenerateEvent, SohuClient } from '../../services/client/index.ts';
import type { GatewayMessage } from '../../services/runtime/cluster/gateway-messages.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import type { ManagedProcess } from '../../services/runtime/process/managed-process.ts';
import { spawnNode } from '../../services/runtime/process/spawn-node.ts';
import { type SecuredBroker, withSecuredBroker } from '../support/secured-broker.ts';
import { startAs, startGroup } from '../support/secured-members.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const REQUEST = { prompt: 'Once upon a time', maxTokens: 12, temperature: 0 };

test('two groups and a gateway serve clients through a broker with keys', async (t) => {
  const secured = await withSecuredBroker(t);
  if (secured === undefined) return;
  const [coordinator] = await Promise.all([
    startGroup(t, secured, { group: '0', tp: 2 }),
    startGroup(t, secured, { group: '1', tp: 1 }),
  ]);
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

  const { message: listening } = await startAs<GatewayMessage>(t, secured, {
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
  await assertAborts(t, secured);
  await assert.rejects(alice.abort('any'), {
    code: 'PERMISSION_DENIED',
    message: 'the broker does not let this connection publish to sohu.test.api.Inference.Abort',
  });
  await assertHandedOver(t, secured, coordinator);
});

/** A stream of the first group goes on in the other, which has another degree. */
async function assertHandedOver(
  t: TestContext,
  { broker, seedOf }: SecuredBroker,
  coordinator: ManagedProcess,
): Promise<void> {
  const options = { cluster: 'test', nkeyFile: seedOf('gateway') };
  const client = await SohuClient.connect(broker.url, options);
  t.after(() => client.close());
  const request = { prompt: 'Once', maxTokens: 200, ignoreEos: true, seed: 3, logprobs: 1 };
  const expected = await client.generate(request);
  const servers = await client.telemetry.servers();
  const serverId = servers.find((id) => id.startsWith('coordinator-0-'))!;
  const events: GenerateEvent[] = [];
  for await (const event of client.generateStream(request, { serverId })) {
    events.push(event);
    if (events.length === 20) process.kill(coordinator.pid, 'SIGKILL');
  }
  const tokens = events.flatMap((event) => (event.kind === 'tokens' ? [event] : []));
  const [choice] = expected.choices;
  assert.deepEqual(
    tokens.flatMap(({ tokenIds }) => tokenIds),
    choice!.tokenIds,
  );
  assert.deepEqual(
    tokens.flatMap(({ logprobs }) => logprobs),
    choice!.logprobs,
  );
}

/** Requests of both coordinators, whichever of them is asked, end by one call. */
async function assertAborts(t: TestContext, { broker, seedOf }: SecuredBroker): Promise<void> {
  const options = { cluster: 'test', nkeyFile: seedOf('gateway'), retry: false } as const;
  const client = await SohuClient.connect(broker.url, options);
  t.after(() => client.close());
  const servers = await client.telemetry.servers();
  assert.equal(servers.length, 2);
  const streams = await Promise.all(
    servers.map(async (serverId, index) => {
      const request = {
        prompt: 'Once',
        maxTokens: 500,
        ignoreEos: true,
        requestId: `open-${index}`,
      };
      const stream = client.generateStream(request, { serverId });
      assert.equal((await stream.next()).value?.kind, 'accepted');
      return stream;
    }),
  );
  const aborting = client.abort(['open-0', 'open-1', 'unknown']);
  const reasons = streams.map(async (stream) => {
    let reason: string | undefined;
    for await (const event of stream) if (event.kind === 'complete') reason = event.finishReason;
    return reason;
  });
  assert.equal(await aborting, 2);
  assert.deepEqual(await Promise.all(reasons), ['abort', 'abort']);
  assert.equal(await client.abort(['open-0', 'open-1']), 0);
}

test('a process with a key that the broker does not know ends with one sentence', async (t) => {
  const secured = await withSecuredBroker(t);
  if (secured === undefined) return;
  const seedFile = join(makeTemporaryDirectory(t), 'stranger.nk');
  writeFileSync(seedFile, nkeys.createUser().getSeed());
  const programs = {
    worker: ['--rank', '0'],
    coordinator: [],
    gateway: ['--port', '0'],
    grpc: ['--port', '0'],
  };
  for (const [entry, args] of Object.entries(programs)) {
    const node = spawnNode({
      name: entry,
      entry: packagePath(`dist/services/${entry}/main.js`),
      args: ['--nats', secured.broker.url, '--cluster', 'test', ...args],
      env: { SOHU_NATS_NKEY_FILE: seedFile },
      output: 'ignore',
      onMessage: () => {},
    });
    t.after(() => node.stop());
    const { stderrTail } = await node.exited;
    assert.match(
      stderrTail,
      /^error: no connection to the broker at [^\n]+: '?Authorization Violation'?\n?$/,
    );
  }
});
