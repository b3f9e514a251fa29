import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RpcError, type RpcErrorOptions } from '../../services/rpc/status.ts';
import { errorOf, get, makeGateway, post, SETTINGS, startGateway } from './make-gateway.ts';
import { SERVER_INFO, StandInEngine, stayQuiet, until } from './stand-in-engine.ts';

const CHAT = { messages: [{ role: 'user', content: 'Once' }] };

suite('a request reaches the engine', () => {
  test('with every field that changes the draws', async (t) => {
    const engine = new StandInEngine();
    const answer = await post(
      makeGateway(t, engine),
      '/v1/completions',
      {
        ...{ model: 'tinystories-5m', prompt: 'Once', max_tokens: 5, temperature: 0.5, top_p: 0.9 },
        ...{ top_k: 40, min_p: 0.1, repetition_penalty: 1.1, presence_penalty: 0.2 },
        ...{ frequency_penalty: 0.3, logit_bias: { 12: -100 }, seed: 7, n: 2, stop: 'you' },
        ...{ stop_token_ids: [3], min_tokens: 2, ignore_eos: true, priority: -1, logprobs: 3 },
        ...{ include_stop_str_in_output: true, cache_salt: 'salt', user: 'ann' },
        ...{ something_new: { that: 'is unknown' } },
      },
      { 'x-request-id': 'mine-1' },
    );
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers['x-request-id'], 'mine-1');
    assert.deepEqual(engine.requests, [
      {
        ...{ prompt: [0, 402], requestId: 'cmpl-mine-1', maxTokens: 5, temperature: 0.5 },
        ...{ topP: 0.9, topK: 40, minP: 0.1, repetitionPenalty: 1.1, presencePenalty: 0.2 },
        ...{ frequencyPenalty: 0.3, logitBias: { 12: -100 }, seed: 7, n: 2, stop: ['you'] },
        ...{ stopTokenIds: [3], minTokens: 2, ignoreEos: true, includeStopStrInOutput: true },
        ...{ priority: -1, cacheSalt: 'salt', clientId: 'ann', logprobs: 3 },
      },
    ]);
  });

  test('with the defaults of its API: 16 tokens of a completion, what fits of a chat', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    await post(gateway, '/v1/completions', { prompt: 'Once' });
    await post(gateway, '/v1/chat/completions', CHAT);
    await post(gateway, '/v1/chat/completions', {
      ...CHAT,
      max_tokens: 9,
      max_completion_tokens: 8,
    });
    assert.deepEqual(
      engine.requests.map(({ maxTokens }) => maxTokens),
      [16, 1024 - 2, 8],
    );
    assert.deepEqual(engine.requests[0]!.temperature, 1);
  });

  test('with prompts in each of their four forms', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    for (const prompt of ['Once', ['Once', 'Once'], [5, 6], [[5], [6, 7]]]) {
      const answer = await post(gateway, '/v1/completions', { prompt, return_token_ids: true });
      assert.equal(answer.status, 200, answer.body);
    }
    assert.deepEqual(
      engine.requests.map(({ prompt }) => prompt),
      [[0, 402], [0, 402], [0, 402], [5, 6], [5], [6, 7]],
    );
    assert.equal(new Set(engine.requests.map(({ requestId }) => requestId)).size, 6);
  });

  test('with a seed of any size as one of 32 bits, and none for -1', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    for (const seed of [0, 2 ** 32 + 5, -2, -1]) {
      await post(gateway, '/v1/completions', { prompt: 'Once', seed });
    }
    assert.deepEqual(
      engine.requests.map(({ seed }) => seed),
      [0, 5, 2 ** 32 - 2, undefined],
    );
  });

  test('with a chat whose contents come in parts', async (t) => {
    const engine = new StandInEngine();
    const part = (text: string) => ({ type: 'text', text });
    const messages = [{ role: 'user', content: [part('Once'), part('upon')] }];
    const answer = await post(makeGateway(t, engine), '/v1/chat/completions', { messages });
    assert.equal(answer.status, 200, answer.body);
    const [{ prompt }] = engine.requests as [{ prompt: readonly number[] }];
    const twin = await post(makeGateway(t, engine), '/tokenize', { prompt: 'Once\nupon' });
    assert.deepEqual(JSON.parse(twin.body).tokens, prompt);
  });
});

test('an answer that is whole has every choice, and counts its tokens', async (t) => {
  const gateway = makeGateway(t, new StandInEngine());
  const chat = JSON.parse((await post(gateway, '/v1/chat/completions', { ...CHAT, n: 2 })).body);
  assert.deepEqual(chat.choices, [
    {
      index: 0,
      message: { role: 'assistant', content: ' Hello "you"\n', refusal: null, tool_calls: [] },
      logprobs: null,
      finish_reason: 'length',
      stop_reason: null,
      token_ids: null,
    },
    {
      index: 1,
      message: { role: 'assistant', content: ' Hello "you"\n', refusal: null, tool_calls: [] },
      logprobs: null,
      finish_reason: 'length',
      stop_reason: null,
      token_ids: null,
    },
  ]);
  assert.deepEqual(chat.usage, {
    prompt_tokens: 2,
    total_tokens: 6,
    completion_tokens: 4,
    prompt_tokens_details: { cached_tokens: 1 },
  });
  const body = { prompt: ['Once', 'Once'], echo: true };
  const text = JSON.parse((await post(gateway, '/v1/completions', body)).body);
  assert.deepEqual(
    text.choices.map((choice: { index: number; text: string }) => [choice.index, choice.text]),
    [
      [0, 'Once Hello "you"\n'],
      [1, 'Once Hello "you"\n'],
    ],
  );
  assert.equal(text.usage.prompt_tokens, 4);
});

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

suite('a request that is wrong is refused with 400, the name of the field and the valid choice', () => {
  const long = 'word '.repeat(3000);
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ temperature: 'hot' }, 'temperature', /a number, not "hot"/],
    [{ temperature: -1 }, 'temperature', /between 0 and 100/],
    [{ top_p: 0 }, 'top_p', /above 0/],
    [{ top_k: 1.5 }, 'top_k', /whole number/],
    [{ max_tokens: 0 }, 'max_tokens', /at least 1/],
    [{ min_tokens: 20 }, 'min_tokens', /at most/],
    [{ n: 0 }, 'n', /from 1/],
    [{ n: 129 }, 'n', /from 1 to 128/],
    [{ seed: 0.5 }, 'seed', /whole number/],
    [{ logit_bias: { x: 1 } }, 'a token id of logit_bias', /whole number/],
    [{ logit_bias: [1] }, 'logit_bias', /an object/],
    [{ stop: [1] }, 'stop[0]', /a string/],
    [{ stop: '' }, 'stop[0]', /1 to 256/],
    [{ stream: 'yes' }, 'stream', /true or false/],
    [{ stream_options: { include_usage: true } }, 'stream_options', /stream is true/],
    [{ prompt: undefined }, 'prompt', /there/],
    [{ prompt: {} }, 'prompt', /a string, an array/],
    [{ prompt: [] }, 'prompt', /empty/],
    [{ prompt: [1, -1] }, 'prompt[1]', /a token id/],
    [{ prompt: [[1], 'x', 3] }, 'prompt[2]', /a string or an array/],
    [{ prompt_logprobs: 129 }, 'prompt_logprobs', /from 0 to 128, not 129/],
    [{ prompt_logprobs: -1 }, 'prompt_logprobs', /from 0 to 128, not -1/],
    [{ prompt_logprobs: 1, stream: true }, 'prompt_logprobs', /absent where stream is true/],
    [{ echo: true, logprobs: 129 }, 'logprobs', /from 0 to 128/],
    [{ suffix: 'end' }, 'suffix', /not supported/],
    [{ use_beam_search: true }, 'use_beam_search', /not supported/],
  ];
  for (const [fields, param, says] of cases) {
    test(JSON.stringify(fields), async (t) => {
      const engine = new StandInEngine();
      const answer = await post(makeGateway(t, engine), '/v1/completions', {
        prompt: 'Once',
        ...fields,
      });
      const error = errorOf(answer);
      assert.deepEqual([error.status, error.code, error.type], [400, 400, 'BadRequestError']);
      assert.ok(error.param === param || error.message.startsWith(param), answer.body);
      assert.match(error.message, says);
      assert.equal(engine.requests.length, 0);
    });
  }

  test('a prompt that is longer than the context, alone or with what it asks for', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    for (const body of [{ prompt: long }, { prompt: 'Once', max_tokens: 1023 }]) {
      const error = errorOf(await post(gateway, '/v1/completions', body));
      assert.equal(error.status, 400);
      assert.match(error.message, /^This model's maximum context length is 1024 tokens\. However/);
    }
  });

  test('a text that no prompt can be as long as, without reading it', async (t) => {
    const gateway = makeGateway(t, new StandInEngine(), { maxBodyBytes: 2 ** 22 });
    const text = 'x'.repeat(2 ** 21);
    for (const [url, field, body] of [
      ['/v1/completions', 'prompt', { prompt: text }],
      ['/tokenize', 'prompt', { prompt: text }],
      ['/v1/chat/completions', 'messages', { messages: [{ role: 'user', content: text }] }],
    ] as const) {
      const error = errorOf(await post(gateway, url, body));
      assert.deepEqual([error.status, error.param], [400, field]);
      assert.match(error.message, /2097\d+ characters, and at most 65536 can fit/);
    }
  });

  test('messages of a chat', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const bad: readonly (readonly [unknown, string])[] = [
      [undefined, 'messages'],
      [[], 'messages'],
      ['Hi', 'messages'],
      [[{ content: 'Hi' }], 'messages[0].role'],
      [[{ role: 'user', content: 5 }], 'messages[0].content'],
      [[{ role: 'user', content: [{ type: 'image_url' }] }], 'messages[0].content[0].type'],
    ];
    for (const [messages, param] of bad) {
      const error = errorOf(await post(gateway, '/v1/chat/completions', { messages }));
      assert.deepEqual([error.status, error.param], [400, param]);
    }
    const top = await post(gateway, '/v1/chat/completions', { ...CHAT, top_logprobs: 1 });
    assert.equal(errorOf(top).param, 'top_logprobs');
  });

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

suite('what is no request of the API is answered in the same shape', () => {
  test('by its status', async (t) => {
    const { app } = makeGateway(t, new StandInEngine(), { maxBodyBytes: 1024 });
    const json = { 'content-type': 'application/json' };
    const url = '/v1/completions';
    const cases = [
      [{ method: 'POST', url, payload: '{"prompt":', headers: json }, 400, 'BadRequestError'],
      [{ method: 'POST', url, payload: '[]', headers: json }, 400, 'BadRequestError'],
      [{ method: 'POST', url, payload: '{"__proto__":{}}', headers: json }, 400, 'BadRequestError'],
      [{ method: 'POST', url, payload: '', headers: json }, 400, 'BadRequestError'],
      [{ method: 'POST', url }, 400, 'BadRequestError'],
      [
        { method: 'POST', url, payload: '{}', headers: { 'content-type': 'text/plain' } },
        ...[415, 'UnsupportedMediaTypeError'],
      ],
      [
        { method: 'POST', url, payload: `{"prompt":"${'x'.repeat(2000)}"}`, headers: json },
        ...[413, 'PayloadTooLargeError'],
      ],
      [{ method: 'GET', url }, 405, 'MethodNotAllowedError'],
      [{ method: 'GET', url: '/v1/nothing' }, 404, 'NotFoundError'],
      [{ method: 'GET', url: '/v1/models/other' }, 404, 'NotFoundError'],
      [{ method: 'GET', url: '/%zz' }, 400, 'BadRequestError'],
    ] as const;
    for (const [request, status, type] of cases) {
      const { statusCode, body } = await app.inject(request);
      const error = errorOf({ status: statusCode, body, headers: {} });
      assert.deepEqual([error.status, error.code, error.type], [status, status, type], body);
    }
  });

  test('a model that is not served is 404', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const error = errorOf(await post(gateway, '/v1/completions', { model: 'gpt', prompt: 'x' }));
    assert.deepEqual(error, {
      status: 404,
      message: 'The model `gpt` does not exist.',
      type: 'NotFoundError',
      param: 'model',
      code: 404,
    });
  });
});

suite('what the engine refuses is answered with its words', () => {
  const quota: RpcErrorOptions = { details: [{ kind: 'quotaFailure', violations: [] }] };
  const retry: RpcErrorOptions = { details: [{ kind: 'retryInfo', retryDelayMs: 2500 }] };
  const cases = [
    [new RpcError('RESOURCE_EXHAUSTED', 'the queue is full'), 503, '1'],
    [new RpcError('RESOURCE_EXHAUSTED', 'the queue is full', retry), 503, '3'],
    [new RpcError('RESOURCE_EXHAUSTED', 'too much', quota), 429, '1'],
    [new RpcError('UNAVAILABLE', 'the server is gone'), 503, '1'],
    [new RpcError('DEADLINE_EXCEEDED', 'too late'), 504, undefined],
    [new RpcError('INVALID_ARGUMENT', 'n must be 1'), 400, undefined],
    [new RpcError('UNIMPLEMENTED', 'not here'), 501, undefined],
    [new RpcError('DATA_LOSS', 'a token was lost'), 500, undefined],
  ] as const;
  for (const [thrown, status, retryAfter] of cases) {
    test(`${thrown.code} as ${status}`, async (t) => {
      const engine = new StandInEngine(async function* () {
        yield* [];
        throw thrown;
      });
      for (const stream of [false, true]) {
        const answer = await post(makeGateway(t, engine), '/v1/completions', {
          prompt: 'x',
          stream,
        });
        const error = errorOf(answer);
        assert.deepEqual([error.status, error.message], [status, thrown.message]);
        assert.equal(answer.headers['retry-after'], retryAfter);
      }
    });
  }

  test('and what is a fault of the gateway says nothing of its insides', async (t) => {
    const engine = new StandInEngine(async function* () {
      yield* [];
      throw new TypeError('secret');
    });
    const error = errorOf(await post(makeGateway(t, engine), '/v1/completions', { prompt: 'x' }));
    assert.deepEqual([error.status, error.type], [500, 'InternalServerError']);
    assert.doesNotMatch(error.message, /secret/);
  });

  test('one prompt of several ends them all', async (t) => {
    const engine = new StandInEngine((request, signal) => {
      if (request.prompt.length > 1) return stayQuiet(request, signal);
      throw new RpcError('RESOURCE_EXHAUSTED', 'the queue is full');
    });
    const gateway = makeGateway(t, engine);
    for (const stream of [true, false]) {
      const prompt = [[5, 6], [5]];
      const error = errorOf(await post(gateway, '/v1/completions', { prompt, stream }));
      assert.equal(error.status, 503, 'no stream has begun');
      await until('all are cancelled', () => engine.openCount === 0);
    }
  });
});

suite('what is asked beside generations', () => {
  test('the model, its tokens and texts', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const { data } = JSON.parse((await get(gateway, '/v1/models')).body);
    assert.deepEqual([data[0].id, data[0].max_model_len], ['tinystories-5m', 1024]);
    const one = JSON.parse((await get(gateway, '/v1/models/tinystories-5m')).body);
    assert.deepEqual(one, data[0]);
    const body = { prompt: 'Once upon', return_token_strs: true };
    const tokenized = JSON.parse((await post(gateway, '/tokenize', body)).body);
    assert.deepEqual([tokenized.count, tokenized.max_model_len], [3, 1024]);
    assert.equal(tokenized.token_strs[0], '<|begin_of_text|>');
    const tokens = { tokens: tokenized.tokens };
    const { prompt } = JSON.parse((await post(gateway, '/detokenize', tokens)).body);
    assert.equal(prompt.toLowerCase(), 'once upon');
    const chat = JSON.parse((await post(gateway, '/tokenize', CHAT)).body);
    assert.deepEqual(chat.tokens, [0, 402], 'the beginning of text comes once');
    for (const wrong of [{}, { prompt: 5 }, { prompt: 'x', model: 'y' }]) {
      assert.ok([400, 404].includes((await post(gateway, '/tokenize', wrong)).status));
    }
    for (const wrong of [{}, { tokens: [99_999] }, { tokens: 'x' }]) {
      assert.equal((await post(gateway, '/detokenize', wrong)).status, 400);
    }
  });

  test('how the engine is', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    const states = async (): Promise<number[]> => {
      const paths = ['/health', '/health/ready', '/ping'];
      return (await Promise.all(paths.map((path) => get(gateway, path)))).map(
        ({ status }) => status,
      );
    };
    assert.deepEqual(await states(), [200, 200, 200]);
    assert.equal((await get(gateway, '/health')).body, '');
    assert.equal((await post(gateway, '/ping', {})).status, 200);
    engine.info = { ...SERVER_INFO, chips: [] };
    assert.deepEqual(await states(), [200, 503, 200], 'the chips still load');
    engine.info = new RpcError('UNAVAILABLE', 'no server of the cluster is listening');
    assert.deepEqual(await states(), [503, 503, 503]);
    assert.equal(typeof JSON.parse((await get(gateway, '/version')).body).version, 'string');
  });

  test('how much it has to do, and that it takes no more than it may', async (t) => {
    const engine = new StandInEngine(stayQuiet);
    const settings = { ...SETTINGS, max_open_prompts: 2 };
    const gateway = makeGateway(t, engine, { settings });
    const load = async () => JSON.parse((await get(gateway, '/load')).body).server_load;
    assert.equal(await load(), 0);
    const waiting = post(gateway, '/v1/completions', { prompt: ['x', 'y'] });
    await until('both prompts wait', () => engine.openCount === 2);
    assert.equal(await load(), 1);
    const refused = await post(gateway, '/v1/completions', { prompt: 'z' });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    await gateway.close();
    assert.equal((await waiting).status, 503, 'whoever waits gets an answer when it ends');
    assert.equal(engine.openCount, 0);
  });

  test('what it counted', async (t) => {
    const { url } = await startGateway(t, new StandInEngine());
    for (const n of [1, 0]) {
      await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'x', n }),
      });
    }
    const body = await (await fetch(`${url}/metrics`)).text();
    for (const status of ['2xx', '4xx']) {
      const labels = `handler="/v1/completions",method="POST",status="${status}"`;
      assert.ok(body.includes(`http_requests_total{${labels}} 1\n`), body);
    }
    assert.match(body, /^http_request_duration_seconds_count\{.*\/v1\/completions.*\} 2$/m);
    assert.match(body, /^sohu_gateway_prompt_tokens_total 2$/m);
    assert.match(body, /^sohu_gateway_generated_tokens_total 2$/m);
  });
});
