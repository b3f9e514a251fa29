import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeGateway, post } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

test('try', async (t) => {
  const gateway = makeGateway(t, new StandInEngine());
  for (const [url, body] of [
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }], stream: true, stream_options: { include_usage: true }, n: 2 }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }], logprobs: true, top_logprobs: 2 }],
    ['/v1/completions', { prompt: ['Hi', 'Ho'], stream: true, logprobs: 1, stream_options: { include_usage: true, continuous_usage_stats: true } }],
    ['/v1/completions', { prompt: 'Hi', echo: true }],
    ['/v1/completions', { prompt: 'Hi', echo: true, max_tokens: 0, stream: true }],
    ['/v1/completions', { prompt: 'Hi', temperature: 'x' }],
    ['/v1/completions', { prompt: 'Hi', temperature: -1 }],
    ['/v1/completions', { prompt: 'Hi', model: 'nope' }],
    ['/tokenize', { prompt: 'Hi there', return_token_strs: true }],
    ['/nope', {}],
    ['/health', {}],
  ] as const) {
    const r = await post(gateway, url, body);
    console.log(r.status, JSON.stringify(r.headers), '\n' + r.body);
  }
  assert.ok(true);
});
