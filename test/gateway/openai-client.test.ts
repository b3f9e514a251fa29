import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import OpenAI from 'openai';
import { runCli } from '../support/cli.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { startLiveCluster } from './live-cluster.ts';
import { until } from './stand-in-engine.ts';

const model = 'tinystories-5m';
const messages = [{ role: 'user' as const, content: 'Once upon a time' }];
const greedy = { model, temperature: 0, max_tokens: 12 };

test('the openai client works with a live cluster', async (t) => {
  const cluster = await startLiveCluster(t);
  if (cluster === undefined) return;
  const openai = new OpenAI({ baseURL: `${cluster.url}/v1`, apiKey: 'any', maxRetries: 0 });
  let story = '';

  await t.test('models', async () => {
    const found = [];
    for await (const each of openai.models.list()) found.push(each.id);
    assert.deepEqual(found, [model]);
    assert.equal((await openai.models.retrieve(model)).id, model);
  });

  await t.test('a chat', async () => {
    const { id, choices, usage } = await openai.chat.completions.create({ ...greedy, messages });
    assert.match(id, /^chatcmpl-/);
    const [choice] = choices as [OpenAI.ChatCompletion.Choice];
    story = choice.message.content!;
    assert.equal(choice.message.role, 'assistant');
    assert.equal(choice.finish_reason, 'length');
    assert.match(story, /^, there was/);
    assert.deepEqual(
      [usage!.prompt_tokens, usage!.completion_tokens, usage!.total_tokens],
      [5, 12, 17],
    );
  });

  await t.test('a streamed chat, with the usage at the end', async () => {
    const stream = await openai.chat.completions.create({
      ...{ ...greedy, messages, stream: true },
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(chunks[0]!.choices[0]!.delta.role, 'assistant');
    assert.equal(chunks.map(({ choices: [c] }) => c?.delta.content ?? '').join(''), story);
    assert.equal(chunks.at(-2)!.choices[0]!.finish_reason, 'length');
    assert.deepEqual(chunks.at(-1)!.choices, []);
    assert.equal(chunks.at(-1)!.usage!.completion_tokens, 12);
    assert.equal(chunks.filter(({ choices: [c] }) => c?.delta.content).length, 12);
  });

  await t.test('the helper that gathers a stream', async () => {
    const runner = openai.chat.completions.stream({ ...greedy, messages });
    assert.equal(await runner.finalContent(), story);
  });

  await t.test(
    'a chat that is parsed by a JSON schema, as zodResponseFormat sends it',
    async () => {
      const schema = {
        type: 'object',
        properties: {
          name: { type: 'string', maxLength: 12 },
          animal: { anyOf: [{ $ref: '#/definitions/animal' }, { type: 'null' }] },
          age: { type: 'integer', minimum: 1, maximum: 20 },
        },
        required: ['name', 'animal', 'age'],
        additionalProperties: false,
        definitions: { animal: { type: 'string', enum: ['cat', 'dog', 'bird'] } },
        $schema: 'http://json-schema.org/draft-07/schema#',
      };
      const json_schema = { name: 'pet', strict: true, schema };
      const { choices } = await openai.chat.completions.parse({
        ...{ ...greedy, messages, max_tokens: 60 },
        response_format: { type: 'json_schema', json_schema },
      });
      const [{ message, finish_reason }] = choices as [(typeof choices)[0]];
      assert.equal(finish_reason, 'stop');
      const pet = JSON.parse(message.content!) as Record<string, unknown>;
      assert.deepEqual(Object.keys(pet), ['name', 'animal', 'age']);
      assert.ok(['cat', 'dog', 'bird', null].includes(pet.animal as string));
      assert.ok(Number.isInteger(pet.age) && Number(pet.age) >= 1 && Number(pet.age) <= 20);
      const wrong = openai.chat.completions.create({
        ...{ ...greedy, messages },
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { not: {} } } },
      });
      await assert.rejects(wrong, { status: 400, message: /json_schema must not have "not"/ });
    },
  );

  await t.test('choices of vLLM, streamed', async () => {
    const choice = ['a happy end', 'a sad end'];
    const extra = { structured_outputs: { choice } };
    const stream = await openai.completions.create({
      ...{ ...greedy, ...extra, prompt: 'It had', stream: true },
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]!.text;
    assert.ok(choice.includes(text), text);
  });

  await t.test('completions, streamed and not, of several prompts', async () => {
    const prompt = ['Once upon a time', 'The dog'];
    const whole = await openai.completions.create({ ...greedy, prompt });
    assert.deepEqual(
      whole.choices.map(({ index }) => index),
      [0, 1],
    );
    assert.equal(whole.choices[0]!.text, story);
    const texts = ['', ''];
    for await (const chunk of await openai.completions.create({
      ...greedy,
      prompt,
      stream: true,
    })) {
      for (const { index, text } of chunk.choices) texts[index] += text;
    }
    assert.deepEqual(
      texts,
      whole.choices.map(({ text }) => text),
    );
  });

  await t.test(
    'the same request with the same seed has the same text through HTTP, SDK and run',
    async () => {
      const prompt = 'The little dog';
      const { choices } = await openai.completions.create({
        ...{ model, prompt, max_tokens: 16, temperature: 0.9, top_p: 0.95, seed: 42 },
      });
      const text = choices[0]!.text;
      const request = { prompt, maxTokens: 16, temperature: 0.9, topP: 0.95, seed: 42 };
      assert.equal((await cluster.client.generate(request)).choices[0]!.text, text);
      const args = [
        '--max-tokens',
        '16',
        '--temperature',
        '0.9',
        '--top-p',
        '0.95',
        '--seed',
        '42',
      ];
      const run = await runCli(t, cluster.env, ['run', ...args, prompt]);
      assert.equal(run.stdout, `${text}\n`, run.stderr);
      const other = await openai.completions.create({
        ...{ model, prompt, max_tokens: 16, temperature: 0.9, top_p: 0.95, seed: 43 },
      });
      assert.notEqual(other.choices[0]!.text, text);
    },
  );

  await t.test('two samples of one prompt', async () => {
    const request = { model, messages, max_tokens: 12, n: 2, temperature: 1, seed: 3 };
    const { choices, usage } = await openai.chat.completions.create(request);
    assert.deepEqual(
      choices.map(({ index }) => index),
      [0, 1],
    );
    assert.notEqual(choices[0]!.message.content, choices[1]!.message.content);
    assert.equal(usage!.completion_tokens, 24);
    const texts = ['', ''];
    for await (const { choices: parts } of await openai.chat.completions.create({
      ...request,
      stream: true,
    })) {
      for (const { index, delta } of parts) texts[index] += delta.content ?? '';
    }
    assert.deepEqual(
      texts,
      choices.map(({ message }) => message.content),
    );
  });

  await t.test('log-probabilities in both APIs', async () => {
    const chat = await openai.chat.completions.create({
      ...{ ...greedy, messages, logprobs: true, top_logprobs: 3 },
    });
    const content = chat.choices[0]!.logprobs!.content!;
    assert.equal(content.length, 12);
    assert.equal(content.map(({ token }) => token).join(''), story);
    for (const { token, logprob, top_logprobs: top } of content) {
      assert.equal(top.length, 3);
      assert.deepEqual(
        [top[0]!.token, top[0]!.logprob],
        [token, logprob],
        'greedy takes the first',
      );
      assert.ok(top.every((each, index) => each.logprob <= (top[index - 1]?.logprob ?? 0)));
    }
    const text = await openai.completions.create({
      ...{ ...greedy, prompt: 'Once upon a time', logprobs: 2 },
    });
    const logprobs = text.choices[0]!.logprobs!;
    assert.deepEqual(
      logprobs.token_logprobs,
      content.map(({ logprob }) => logprob),
    );
    assert.equal(logprobs.tokens!.join(''), text.choices[0]!.text);
    assert.deepEqual(Object.keys(logprobs.top_logprobs![0]!).length, 2);
  });

  await t.test('log-probabilities of a prompt, as harnesses score texts', async () => {
    const prompt = 'Once upon a time, there was a little girl';
    const create = (fields: object) =>
      openai.completions.create({ ...greedy, ...fields, prompt, echo: true, logprobs: 2 });
    const scored = (await create({ max_tokens: 0 })).choices[0]!;
    const { tokens, token_logprobs, top_logprobs, text_offset } = scored.logprobs!;
    assert.equal(scored.text, prompt);
    assert.equal(token_logprobs![0], null);
    assert.ok(token_logprobs!.slice(1).every((each) => each <= 0));
    assert.deepEqual(
      [tokens!.length, top_logprobs!.length, text_offset!.length],
      [token_logprobs!.length, token_logprobs!.length, token_logprobs!.length],
    );
    // What is generated greedily is scored the same when it comes as a prompt.
    const drawn = await openai.completions.create({ ...greedy, prompt, logprobs: 0 });
    const whole = prompt + drawn.choices[0]!.text;
    const again = await openai.completions.create({
      ...{ ...greedy, prompt: whole, echo: true, logprobs: 1, max_tokens: 0 },
    });
    assert.deepEqual(
      again.choices[0]!.logprobs!.token_logprobs!.slice(tokens!.length),
      drawn.choices[0]!.logprobs!.token_logprobs,
    );
    const { prompt_logprobs: ranked } = (await openai.chat.completions.create({
      ...{ ...greedy, messages, prompt_logprobs: 1 },
    })) as unknown as { prompt_logprobs: (null | Record<string, { rank: number | null }>)[] };
    assert.equal(ranked[0], null);
    assert.ok(ranked.slice(1).every((each) => Object.values(each!).some(({ rank }) => rank === 1)));
  });

  await t.test('stop strings, biases and token limits', async () => {
    const stopped = await openai.chat.completions.create({ ...greedy, messages, stop: ' was' });
    assert.equal(stopped.choices[0]!.message.content, ', there');
    assert.equal(stopped.choices[0]!.finish_reason, 'stop');
    assert.equal((stopped.choices[0] as { stop_reason?: unknown }).stop_reason, ' was');
    const [, comma] = await cluster.client.tokenize(',');
    const biased = await openai.chat.completions.create({
      ...{ ...greedy, messages, logit_bias: { [comma!]: -100 } },
    });
    assert.doesNotMatch(biased.choices[0]!.message.content!, /^,/);
    const echoed = await openai.completions.create({ ...greedy, prompt: 'The dog', echo: true });
    assert.match(echoed.choices[0]!.text, /^The dog/);
  });

  await t.test('a prompt that came before is cached', async () => {
    const prompt = 'One day, a little girl named Lily found a needle in her room. '.repeat(3);
    await openai.completions.create({ ...greedy, prompt });
    const { usage } = await openai.completions.create({ ...greedy, prompt });
    assert.ok(usage!.prompt_tokens_details!.cached_tokens! > 0);
    const salted = { ...greedy, prompt, cache_salt: 'mine' };
    const other = await openai.completions.create(salted);
    assert.equal(other.usage!.prompt_tokens_details!.cached_tokens, 0);
  });

  await t.test('errors are of the client’s own classes', async () => {
    const create = (fields: object) =>
      openai.chat.completions.create({ ...greedy, messages, ...fields });
    await assert.rejects(create({ model: 'gpt' }), OpenAI.NotFoundError);
    await assert.rejects(create({ temperature: -1 }), (error: unknown) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.deepEqual([error.param, error.type], ['temperature', 'BadRequestError']);
      return true;
    });
    await assert.rejects(create({ max_tokens: 5000 }), /maximum context length is 1024/);
    await assert.rejects(
      openai.completions.create({ ...greedy, prompt: [99_999] }),
      OpenAI.BadRequestError,
    );
  });

  await t.test('leaving a stream frees its KV', async () => {
    const endless = { ignore_eos: true, max_tokens: 900, min_tokens: 900 };
    const stream = await openai.chat.completions.create({
      ...{ ...greedy, ...endless, messages, stream: true },
    });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await until('the coordinator is idle', async () => {
      const { running, kvBytes } = await cluster.load();
      return running === 0 && kvBytes === 0;
    });
    const abort = new AbortController();
    const whole = openai.chat.completions.create(
      { ...greedy, ...endless, messages },
      { signal: abort.signal },
    );
    const aborted = assert.rejects(whole, OpenAI.APIUserAbortError);
    await until('it runs', async () => (await cluster.load()).running > 0);
    abort.abort();
    await aborted;
    await until('the coordinator is idle', async () => (await cluster.load()).running === 0);
  });

  await t.test('many streams at once are each whole', async () => {
    const texts = await Promise.all(
      Array.from({ length: 48 }, () =>
        openai.chat.completions.stream({ ...greedy, messages }).finalContent(),
      ),
    );
    assert.deepEqual(new Set(texts), new Set([story]));
  });
});

test('the openai client comes again after 429, and with a wrong key not at all', async (t) => {
  const file = join(makeTemporaryDirectory(t), 'keys.json');
  // Two requests come at once, and another every second.
  const key = { name: 'ann', key: 'sesame', requests_per_minute: 60 };
  writeFileSync(file, JSON.stringify([key, { name: 'bob', key: 'other', requests_per_minute: 1 }]));
  const cluster = await startLiveCluster(t, ['--api-key-file', file]);
  if (cluster === undefined) return;
  const client = (apiKey: string, maxRetries: number) =>
    new OpenAI({ baseURL: `${cluster.url}/v1`, apiKey, maxRetries });
  const request = { ...greedy, max_tokens: 1, messages };
  const ask = (openai: OpenAI) => openai.chat.completions.create(request);

  await assert.rejects(ask(client('wrong', 2)), OpenAI.AuthenticationError);
  await ask(client('other', 0));
  await assert.rejects(ask(client('other', 0)), OpenAI.RateLimitError);
  const { response } = await client('sesame', 0).chat.completions.create(request).withResponse();
  assert.equal(response.headers.get('x-ratelimit-limit-requests'), '60');
  let refused = 0;
  const counting = new OpenAI({
    ...{ baseURL: `${cluster.url}/v1`, apiKey: 'sesame', maxRetries: 5 },
    fetch: async (url, init) => {
      const answer = await fetch(url as string, init as RequestInit);
      if (answer.status === 429) refused++;
      return answer;
    },
  });
  for (let i = 0; i < 64 || refused === 0; i++) await ask(counting);
  assert.ok(refused > 0, 'some came again');
});
