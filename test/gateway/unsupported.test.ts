import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { errorOf, makeGateway, post } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

const CHAT = { messages: [{ role: 'user', content: 'Once' }] };

suite('what this server does not do is refused with 400', () => {
  test('tools that would have to be called', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const tools = [{ type: 'function', function: { name: 'look_up' } }];
    const ask = (fields: object) => post(gateway, '/v1/chat/completions', { ...CHAT, ...fields });
    for (const choice of [undefined, 'auto'] as const) {
      const error = errorOf(await ask({ tools, tool_choice: choice }));
      assert.deepEqual([error.status, error.param], [400, 'tool_choice']);
      assert.match(error.message, /^"auto" tool choice requires --enable-auto-tool-choice/);
    }
    for (const choice of ['required', { type: 'function', function: { name: 'look_up' } }]) {
      const error = errorOf(await ask({ tools, tool_choice: choice }));
      assert.deepEqual([error.status, error.param], [400, 'tool_choice']);
      assert.match(error.message, /^tool_choice must be "none"/);
    }
    for (const fields of [
      { tools, tool_choice: 'none' },
      { tools: [], tool_choice: 'auto' },
    ]) {
      assert.equal((await ask(fields)).status, 200);
    }
  });

  test('best_of, but for as many as are answered with', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const ask = (fields: object) => post(gateway, '/v1/completions', { prompt: 'Once', ...fields });
    for (const fields of [{ best_of: 1 }, { best_of: 3, n: 3 }]) {
      assert.equal((await ask(fields)).status, 200);
    }
    for (const fields of [{ best_of: 2 }, { best_of: 3, n: 2 }, { best_of: 1, n: 2 }]) {
      assert.equal(errorOf(await ask(fields)).param, 'best_of');
    }
  });
});
