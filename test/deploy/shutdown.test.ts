import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayMessage } from '../../services/runtime/cluster/gateway-messages.ts';
import type { ManagedProcess } from '../../services/runtime/process/managed-process.ts';
import { withSecuredBroker } from '../support/secured-broker.ts';
import { startAs, startGroup } from '../support/secured-members.ts';

const MAX_TOKENS = 400;

async function terminate(node: ManagedProcess): Promise<number | null> {
  process.kill(node.pid!, 'SIGTERM');
  return (await node.exited).code;
}

test('after SIGTERM a gateway and a coordinator finish what they have begun, and end', async (t) => {
  const secured = await withSecuredBroker(t);
  if (secured === undefined) return;
  const options = ['--shutdown-timeout', '60'];
  const coordinator = await startGroup(t, secured, { group: '0', tp: 1, options });
  const { node: gateway, message: listening } = await startAs<GatewayMessage>(t, secured, {
    member: 'gateway',
    entry: 'gateway',
    args: ['--port', '0', ...options],
    isAwaited: ({ kind }) => kind === 'listening',
  });
  assert.ok(listening?.kind === 'listening');
  const ask = (): Promise<Response> =>
    fetch(`${listening.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ prompt: 'Once', max_tokens: MAX_TOKENS, ignore_eos: true, stream: true },
      }),
    });
  const reader = (await ask()).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  const ended = Promise.all([gateway, coordinator].map(terminate));
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value;
  assert.equal(text.match(/^data: \{/gm)!.length, MAX_TOKENS);
  assert.match(text, /data: \[DONE\]\s+$/);
  assert.deepEqual(await ended, [0, 0]);
});

test('a coordinator whose broker is gone ends in peace all the same', async (t) => {
  const secured = await withSecuredBroker(t);
  if (secured === undefined) return;
  const coordinator = await startGroup(t, secured, { group: '0', tp: 1 });
  await secured.broker.stop();
  assert.equal(await terminate(coordinator), 0);
});
