import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { Command } from 'commander';
import { readApiKeys } from '../../services/gateway/access/read-api-keys.ts';
import { TokenBucket } from '../../services/gateway/access/token-bucket.ts';
import {
  addGatewayOptions,
  checkExposure,
  type GatewayOptions,
  gatewayArguments,
} from '../../services/runtime/options/gateway-options.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { errorOf, get, makeGateway, post, SETTINGS } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const PROMPT = { prompt: 'Once', max_tokens: 2 };

function options(...args: string[]): GatewayOptions {
  return addGatewayOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }))
    .parse(args, { from: 'user' })
    .opts();
}

function keyFile(t: TestContext, keys: unknown): string {
  const path = join(makeTemporaryDirectory(t), 'keys.json');
  writeFileSync(path, typeof keys === 'string' ? keys : JSON.stringify(keys));
  return path;
}

suite('with keys', () => {
  test('only who has one gets in, and the others are told as vLLM tells them', async (t) => {
    const keys = readApiKeys(
      options('--api-key', 'alpha', '--api-key', `sha256:${sha256('beta')}`),
    );
    const gateway = makeGateway(t, new StandInEngine(), { keys });
    for (const key of ['alpha', 'beta']) {
      assert.equal((await post(gateway, '/v1/completions', PROMPT, bearer(key))).status, 200);
    }
    for (const headers of [
      {},
      bearer('gamma'),
      bearer(sha256('beta')),
      { authorization: 'alpha' },
    ]) {
      for (const answer of [
        await post(gateway, '/v1/completions', PROMPT, headers),
        await post(gateway, '/v1/chat/completions', {}, headers),
        await get(gateway, '/v1/models', headers),
        await get(gateway, '/admin/config', headers),
      ]) {
        assert.deepEqual([answer.status, answer.body], [401, '{"error":"Unauthorized"}']);
      }
    }
    for (const path of ['/health', '/version', '/load', '/metrics', '/ping']) {
      assert.equal((await get(gateway, path)).status, 200, path);
    }
    assert.equal((await post(gateway, '/tokenize', { prompt: 'x' })).status, 200);
  });

  test('a request is served for its key, whatever user it names', async (t) => {
    const engine = new StandInEngine();
    const keys = readApiKeys(options('--api-key', 'alpha'));
    await post(
      makeGateway(t, engine, { keys }),
      '/v1/completions',
      { ...PROMPT, user: 'x' },
      bearer('alpha'),
    );
    assert.equal(engine.requests[0]!.clientId, 'key-1');
  });

  test('a file gives each a name and limits of its own', (t) => {
    const path = keyFile(t, [
      { name: 'ann', key: 'alpha', requests_per_minute: 5, admin: true },
      { name: 'bob', sha256: sha256('beta'), tokens_per_minute: 100 },
    ]);
    const keys = readApiKeys(options('--api-key-file', path, '--api-key', 'gamma'));
    assert.deepEqual(
      keys.map(({ digest, ...key }) => ({ ...key, digest: Buffer.from(digest).toString('hex') })),
      [
        {
          name: 'key-1',
          isAdmin: false,
          requestsPerMinute: undefined,
          tokensPerMinute: undefined,
          digest: sha256('gamma'),
        },
        {
          name: 'ann',
          isAdmin: true,
          requestsPerMinute: 5,
          tokensPerMinute: undefined,
          digest: sha256('alpha'),
        },
        {
          name: 'bob',
          isAdmin: false,
          requestsPerMinute: undefined,
          tokensPerMinute: 100,
          digest: sha256('beta'),
        },
      ],
    );
  });

  test('a file that is wrong is refused without showing a key', (t) => {
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      ['{', /JSON/],
      [{}, /array/],
      [[], /at least one/],
      [[{ key: 'secret' }], /name/],
      [[{ name: 'a' }], /key or sha256/],
      [[{ name: 'a', key: 'secret', sha256: sha256('secret') }], /key or sha256/],
      [[{ name: 'a', sha256: 'secret' }], /64 hexadecimal/],
      [[{ name: 'a', key: 'secret', tokens_per_minute: 0 }], /tokens_per_minute/],
      [[{ name: 'a', key: 'secret', admin: 1 }], /admin/],
      [
        [
          { name: 'a', key: 'secret' },
          { name: 'a', key: 'secret2' },
        ],
        /differ/,
      ],
    ];
    for (const [keys, says] of wrong) {
      assert.throws(
        () => readApiKeys(options('--api-key-file', keyFile(t, keys))),
        (error: Error) =>
          error.name === 'InvalidArgumentError' &&
          says.test(error.message) &&
          !error.message.includes('secret'),
        JSON.stringify(keys),
      );
    }
    assert.throws(() => readApiKeys(options('--api-key-file', '/nonexistent')), /nonexistent/);
  });
});

suite('options', () => {
  test('reach another program unchanged, and without a key in them', () => {
    const given = options(
      ...['--host', '::1', '--port', '0', '--api-key', 'secret', '--api-key-file', '/keys.json'],
      ...['--allow-anonymous', '--requests-per-minute', '5', '--tokens-per-minute', '6'],
      ...['--served-model-name', 'm', '--max-body-bytes', '100', '--slow-reader-timeout', '2'],
    );
    const args = gatewayArguments(given);
    assert.deepEqual(options(...args), given);
    assert.ok(!args.includes('secret'));
    assert.deepEqual(options(...gatewayArguments(options())), options());
  });

  test('open the gateway to other machines only with keys or when told', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1', '127.8.9.1']) {
      checkExposure(options('--host', host));
    }
    assert.throws(() => checkExposure(options('--host', '0.0.0.0')), /--allow-anonymous/);
    for (const more of [['--api-key', 'x'], ['--api-key-file', 'x'], ['--allow-anonymous']]) {
      checkExposure(options('--host', '0.0.0.0', ...more));
    }
  });

  test('name no port that there is not', () => {
    for (const port of ['65536', '-1', 'x', '1.5']) {
      assert.throws(() => options(`--port=${port}`), /from 0 to 65535/);
    }
  });
});

suite('a budget', () => {
  test('fills evenly up to what a minute brings', () => {
    const bucket = new TokenBucket(60, 0);
    bucket.take(60, 0);
    assert.equal(bucket.level(0), 0);
    assert.equal(bucket.delayMs(1, 0), 1000);
    assert.equal(bucket.level(1500), 1.5);
    assert.equal(bucket.delayMs(1, 1500), 0);
    assert.equal(bucket.level(10 * 60_000), 60);
    assert.equal(bucket.delayMs(61, 10 * 60_000), Number.POSITIVE_INFINITY);
    bucket.take(10, 10 * 60_000);
    bucket.giveBack(20, 10 * 60_000);
    assert.equal(bucket.level(10 * 60_000), 60);
  });

  test('of requests is told of in headers, and ends in 429 until it fills', async (t) => {
    let nowMs = 0;
    const settings = { ...SETTINGS, requests_per_minute: 2 };
    const gateway = makeGateway(t, new StandInEngine(), { settings, nowMs: () => nowMs });
    const first = await post(gateway, '/v1/completions', PROMPT);
    assert.equal(first.headers['x-ratelimit-limit-requests'], '2');
    assert.equal(first.headers['x-ratelimit-remaining-requests'], '1');
    assert.equal(first.headers['x-ratelimit-reset-requests'], '30s');
    const stream = await post(gateway, '/v1/completions', { ...PROMPT, stream: true });
    assert.equal(stream.headers['x-ratelimit-remaining-requests'], '0');
    const third = await post(gateway, '/v1/completions', PROMPT);
    assert.deepEqual([third.status, third.headers['retry-after']], [429, '30']);
    assert.equal(third.headers['x-ratelimit-remaining-requests'], '0');
    assert.deepEqual(errorOf(third).type, 'RateLimitError');
    nowMs = 30_000;
    assert.equal((await post(gateway, '/v1/completions', PROMPT)).status, 200);
  });

  test('of tokens holds back what a request may need, and gets back what it did not', async (t) => {
    const settings = { ...SETTINGS, tokens_per_minute: 100 };
    const gateway = makeGateway(t, new StandInEngine(), { settings, nowMs: () => 0 });
    const left = (answer: { headers: Readonly<Record<string, unknown>> }) =>
      answer.headers['x-ratelimit-remaining-tokens'];
    const first = await post(gateway, '/v1/completions', { prompt: 'Once', max_tokens: 50 });
    assert.equal(left(first), '48', 'two of the prompt and fifty are held back');
    const second = await post(gateway, '/v1/completions', { prompt: 'Once', max_tokens: 90 });
    assert.deepEqual([second.status, left(second)], [200, '4'], 'the first used 4');
    const third = await post(gateway, '/v1/completions', { prompt: 'Once', max_tokens: 95 });
    assert.equal(third.status, 429);
    const never = await post(gateway, '/v1/completions', { prompt: 'Once', max_tokens: 500 });
    assert.equal(never.status, 400);
    assert.match(errorOf(never).message, /lower max_tokens/);
  });

  test('is each key’s own', async (t) => {
    const path = keyFile(t, [
      { name: 'ann', key: 'alpha', requests_per_minute: 1 },
      { name: 'bob', key: 'beta' },
    ]);
    const keys = readApiKeys(options('--api-key-file', path));
    const gateway = makeGateway(t, new StandInEngine(), { keys, nowMs: () => 0 });
    const ask = async (key: string) =>
      (await post(gateway, '/v1/completions', PROMPT, bearer(key))).status;
    assert.deepEqual([await ask('alpha'), await ask('alpha'), await ask('beta')], [200, 429, 200]);
  });
});

suite('the configuration', () => {
  test('changes at once and together, or not at all', async (t) => {
    const gateway = makeGateway(t, new StandInEngine(), { nowMs: () => 0 });
    const config = async () => JSON.parse((await get(gateway, '/admin/config')).body);
    assert.deepEqual(await config(), SETTINGS);
    const change = { requests_per_minute: 1, slow_reader_timeout: 5 };
    const answer = await post(gateway, '/admin/config', change);
    assert.deepEqual(JSON.parse(answer.body), { ...SETTINGS, ...change });
    assert.equal((await post(gateway, '/v1/completions', PROMPT)).status, 200);
    assert.equal((await post(gateway, '/v1/completions', PROMPT)).status, 429);
    for (const wrong of [{ requests_per_minute: 5, slow_reader_timeout: 0 }, { nonsense: 1 }]) {
      const refused = await post(gateway, '/admin/config', wrong);
      assert.equal(refused.status, 400, refused.body);
    }
    assert.deepEqual(await config(), { ...SETTINGS, ...change });
    await post(gateway, '/admin/config', { requests_per_minute: null });
    assert.equal((await post(gateway, '/v1/completions', PROMPT)).status, 200);
  });

  test('is for administrators, or without keys for this machine', async (t) => {
    const path = keyFile(t, [
      { name: 'ann', key: 'alpha', admin: true },
      { name: 'bob', key: 'beta' },
    ]);
    const keys = readApiKeys(options('--api-key-file', path));
    const gateway = makeGateway(t, new StandInEngine(), { keys });
    assert.equal((await get(gateway, '/admin/config', bearer('alpha'))).status, 200);
    assert.equal((await get(gateway, '/admin/config', bearer('beta'))).status, 403);
    const open = makeGateway(t, new StandInEngine());
    const remote = await open.app.inject({ url: '/admin/config', remoteAddress: '192.0.2.1' });
    assert.equal(remote.statusCode, 403);
  });
});
