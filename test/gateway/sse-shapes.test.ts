import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { GenerateEvent, GenerateRequest } from '../../services/client/index.ts';
import { makeGateway, post } from './make-gateway.ts';
import { accepted, complete, type Script, StandInEngine, tokens } from './stand-in-engine.ts';

const ID = { 'x-request-id': 'r1' };
const CHAT = { messages: [{ role: 'user', content: 'Once' }] };
const CHAT_HEAD =
  '{"id":"chatcmpl-r1","object":"chat.completion.chunk","created":0,"model":"tinystories-5m","choices":[';
const TEXT_HEAD =
  '{"id":"cmpl-r1","object":"text_completion","created":0,"model":"tinystories-5m","choices":[';
const USAGE =
  '"usage":{"prompt_tokens":2,"total_tokens":4,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}';

/** The frames of a stream, the time of creation as 0. */
async function framesOf(
  t: TestContext,
  request: { readonly url: string; readonly body: object; readonly script?: Script },
): Promise<string[]> {
  const gateway = makeGateway(t, new StandInEngine(request.script));
  const body = { ...request.body, stream: true };
  const answer = await post(gateway, request.url, body, ID);
  assert.equal(answer.status, 200, answer.body);
  assert.match(String(answer.headers['content-type']), /^text\/event-stream/);
  const frames = answer.body.replaceAll(/"created":\d+/g, '"created":0').split('\n\n');
  assert.equal(frames.pop(), '', 'the last frame is whole');
  return frames.map((frame) => {
    assert.match(frame, /^data: [^\n]+$/);
    return frame.slice('data: '.length);
  });
}

const chat = (t: TestContext, body: object = {}, script?: Script): Promise<string[]> =>
  framesOf(t, {
    url: '/v1/chat/completions',
    body: { ...CHAT, ...body },
    ...(script && { script }),
  });
const text = (t: TestContext, body: object = {}, script?: Script): Promise<string[]> =>
  framesOf(t, {
    url: '/v1/completions',
    body: { prompt: 'Once', ...body },
    ...(script && { script }),
  });

async function* lastWithEnd(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
  yield accepted(request);
  yield tokens(' Hello', { id: 500, at: 0 });
  yield tokens(' you', { id: 501, at: 1, isLast: true });
  yield complete(request, { completionTokens: 2 });
}

suite('a stream of chat chunks', () => {
  test('begins with the role, ends each choice with its reason, and ends with [DONE]', async (t) => {
    assert.deepEqual(await chat(t), [
      `${CHAT_HEAD}{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null}`,
      `${CHAT_HEAD}{"index":0,"delta":{"content":" Hello"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`,
      `${CHAT_HEAD}{"index":0,"delta":{"content":" \\"you\\"\\n"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`,
      `${CHAT_HEAD}{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}]}`,
      '[DONE]',
    ]);
  });

  test('has the last tokens and the end of a choice in one chunk', async (t) => {
    assert.deepEqual((await chat(t, {}, lastWithEnd)).slice(2), [
      `${CHAT_HEAD}{"index":0,"delta":{"content":" you"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}]}`,
      '[DONE]',
    ]);
  });

  test('has a usage chunk without choices where it is asked for', async (t) => {
    const frames = await chat(t, { stream_options: { include_usage: true } });
    assert.deepEqual(frames.slice(-2), [`${CHAT_HEAD}],${USAGE}}`, '[DONE]']);
    assert.equal(frames.filter((frame) => frame.includes('"usage"')).length, 1);
  });

  test('tells of the usage so far in every chunk where it is asked to', async (t) => {
    const options = { include_usage: true, continuous_usage_stats: true };
    const frames = (await chat(t, { stream_options: options })).slice(0, -1);
    assert.deepEqual(
      frames.map((frame) => JSON.parse(frame).usage.completion_tokens),
      [1, 1, 2, 2, 2],
    );
  });

  test('has token ids and log-probabilities where they are asked for', async (t) => {
    const frames = await chat(t, { return_token_ids: true, logprobs: true, top_logprobs: 1 });
    assert.equal(
      frames[0],
      `${CHAT_HEAD}{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":[0,402]}`,
    );
    assert.equal(
      frames[1],
      `${CHAT_HEAD}{"index":0,"delta":{"content":" Hello"},"logprobs":{"content":[{"token":" fe","logprob":-0.5,"bytes":[32,102,101],"top_logprobs":[{"token":" things","logprob":-1,"bytes":[32,116,104,105,110,103,115]}]}]},"finish_reason":null,"token_ids":[500]}]}`,
    );
  });

  test('gives every sample its role first and its own index', async (t) => {
    const frames = (await chat(t, { n: 2 })).slice(0, -1).map((frame) => JSON.parse(frame));
    const indexes = frames.map(({ choices: [{ index }] }) => index);
    assert.deepEqual(indexes, [0, 1, 0, 0, 0, 1, 1, 1]);
    assert.deepEqual(
      frames.map(({ choices: [{ delta }] }) => delta.role),
      ['assistant', 'assistant', ...new Array(6).fill(undefined)],
    );
  });

  test('names the stop string or token that ended it', async (t) => {
    for (const stopReason of ['you', 501]) {
      const frames = await chat(t, {}, async function* (request) {
        yield accepted(request);
        yield tokens('x', { id: 500, at: 0 });
        yield { ...complete(request, { completionTokens: 1 }), finishReason: 'stop', stopReason };
      });
      const [choice] = JSON.parse(frames.at(-2)!).choices;
      assert.deepEqual([choice.finish_reason, choice.stop_reason], ['stop', stopReason]);
    }
  });
});

suite('a stream of completion chunks', () => {
  test('has the text of every token, then the reason, then [DONE]', async (t) => {
    const rest = '"stop_reason":null,"prompt_token_ids":null,"token_ids":null}],"usage":null}';
    assert.deepEqual(await text(t), [
      `${TEXT_HEAD}{"index":0,"text":" Hello","logprobs":null,"finish_reason":null,${rest}`,
      `${TEXT_HEAD}{"index":0,"text":" \\"you\\"\\n","logprobs":null,"finish_reason":null,${rest}`,
      `${TEXT_HEAD}{"index":0,"text":"","logprobs":null,"finish_reason":"length",${rest}`,
      '[DONE]',
    ]);
  });

  test('has the last tokens and the end of a choice in one chunk', async (t) => {
    const [, last, ...rest] = await text(t, { return_token_ids: true }, lastWithEnd);
    assert.equal(
      last,
      `${TEXT_HEAD}{"index":0,"text":" you","logprobs":null,"finish_reason":"length","stop_reason":null,"prompt_token_ids":null,"token_ids":[501]}],"usage":null}`,
    );
    assert.deepEqual(rest, ['[DONE]']);
  });

  test('has a usage chunk without choices where it is asked for', async (t) => {
    const frames = await text(t, { stream_options: { include_usage: true } });
    assert.deepEqual(frames.slice(-2), [`${TEXT_HEAD}],${USAGE}}`, '[DONE]']);
  });

  test('counts the offsets of log-probabilities on from chunk to chunk', async (t) => {
    const frames = await text(t, { logprobs: 1, return_token_ids: true });
    assert.equal(
      frames[0],
      `${TEXT_HEAD}{"index":0,"text":" Hello","logprobs":{"text_offset":[0],"token_logprobs":[-0.5],"tokens":[" fe"],"top_logprobs":[{" fe":-0.5," things":-1}]},"finish_reason":null,"stop_reason":null,"prompt_token_ids":[0,402],"token_ids":[500]}],"usage":null}`,
    );
    const second = JSON.parse(frames[1]!).choices[0];
    assert.deepEqual(second.logprobs.text_offset, [3]);
    assert.equal(second.prompt_token_ids, null);
  });

  test('begins with the prompt of every choice where it is an echo', async (t) => {
    const frames = await text(t, { echo: true, prompt: ['A', 'B'], n: 2 });
    const chunks = frames.slice(0, -1).map((frame) => JSON.parse(frame).choices[0]);
    for (const index of [0, 1, 2, 3]) {
      const own = chunks.filter((choice) => choice.index === index).map((choice) => choice.text);
      assert.equal(own[0], index < 2 ? 'A' : 'B');
      assert.equal(own.join(''), `${own[0]} Hello "you"\n`);
    }
  });

  test('has the log-probabilities of an echo with it, and offsets that go on after it', async (t) => {
    const frames = await text(t, { echo: true, logprobs: 1, prompt: 'Once' });
    const [echo, first] = frames.slice(0, 2).map((frame) => JSON.parse(frame).choices[0]);
    assert.equal(echo.text, 'Once');
    assert.deepEqual(echo.logprobs, {
      text_offset: [0, 17],
      token_logprobs: [null, -2],
      tokens: ['<|begin_of_text|>', 'once'],
      top_logprobs: [null, { once: -2, ' things': -1 }],
    });
    assert.deepEqual(first.logprobs.text_offset, [21]);
  });

  test('is the prompt alone where no token is asked for', async (t) => {
    const frames = await text(t, { echo: true, max_tokens: 0 });
    const texts = frames.slice(0, -1).map((frame) => JSON.parse(frame).choices[0].text);
    assert.deepEqual(texts, ['Once', '']);
  });
});
