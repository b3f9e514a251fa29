import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeGateway, post } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

const CHAT = { messages: [{ role: 'user', content: 'Once' }] };

suite('log-probabilities of prompts have the shapes of vLLM and OpenAI', () => {
  const BOS = '<|begin_of_text|>';
  const ranked = {
    402: { logprob: -2, rank: null, decoded_token: 'once' },
    600: { logprob: -1, rank: 1, decoded_token: ' things' },
  };

  test('as prompt_logprobs of both APIs', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const fields = { prompt_logprobs: 1 };
    const body = { prompt: ['Once', [9], [9, 402]], ...fields };
    const text = JSON.parse((await post(gateway, '/v1/completions', body)).body);
    assert.deepEqual(
      text.choices.map((choice: object) => Reflect.get(choice, 'prompt_logprobs')),
      [[null, ranked], [null], [null, ranked]],
    );
    assert.equal(text.choices[0].logprobs, null);
    const chat = JSON.parse(
      (await post(gateway, '/v1/chat/completions', { ...CHAT, ...fields })).body,
    );
    assert.deepEqual([chat.prompt_logprobs[0], chat.prompt_logprobs.length], [null, 2]);
    const without = JSON.parse((await post(gateway, '/v1/chat/completions', CHAT)).body);
    assert.equal(without.prompt_logprobs, null);
  });

  test('as an echo with logprobs, before the drawn tokens or alone', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    const body = { prompt: 'Once', echo: true, logprobs: 1, n: 2 };
    const text = JSON.parse((await post(gateway, '/v1/completions', body)).body);
    const echoed = {
      text_offset: [0, 17],
      token_logprobs: [null, -2],
      tokens: [BOS, 'once'],
      top_logprobs: [null, { once: -2, ' things': -1 }],
    };
    for (const choice of text.choices) {
      assert.deepEqual(choice.prompt_logprobs, [null, ranked]);
      const { logprobs } = choice;
      assert.deepEqual(logprobs.text_offset, [0, 17, 21, 24]);
      assert.deepEqual(logprobs.token_logprobs, [null, -2, -0.5, -0.5]);
      for (const key of ['tokens', 'top_logprobs'] as const) {
        assert.deepEqual(logprobs[key].slice(0, 2), echoed[key]);
        assert.equal(logprobs[key].length, 4);
      }
    }
    const alone = { ...body, n: 1, max_tokens: 0 };
    const only = JSON.parse((await post(gateway, '/v1/completions', alone)).body);
    assert.deepEqual(only.choices[0].logprobs, echoed);
    assert.deepEqual([only.choices[0].text, only.choices[0].finish_reason], ['Once', 'length']);
    assert.equal(only.usage.completion_tokens, 0);
    assert.equal(engine.requests.length, 2);
    assert.deepEqual(engine.requests.at(-1)!.maxTokens, 1);
    const silent = await post(gateway, '/v1/completions', { ...alone, logprobs: undefined });
    assert.equal(JSON.parse(silent.body).choices[0].logprobs, null);
    assert.equal(engine.requests.length, 2, 'nothing was asked of the engine');
  });
});
