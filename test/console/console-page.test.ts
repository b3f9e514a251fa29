import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '../../services/gateway/access/api-keys.ts';
import { consoleFiles } from '../../services/gateway/console/console-files.ts';
import { get, makeGateway } from '../gateway/make-gateway.ts';
import { StandInEngine } from '../gateway/stand-in-engine.ts';

const KEY = {
  name: 'ann',
  digest: sha256('alpha'),
  isAdmin: false,
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
};

suite('the files of the console', () => {
  test('are few and small', () => {
    const sizes = [...consoleFiles().values()].map(({ body }) => body.length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(total < 100_000, `${total} bytes before compression`);
  });

  test('are all that the page and its modules name', () => {
    const files = consoleFiles();
    for (const [name, { body }] of files) {
      const pattern = name.endsWith('.html') ? /(?:src|href)="([^"#]+)"/g : /from '(\.[^']+)'/g;
      for (const [, path] of `${body}`.matchAll(pattern)) {
        const wanted = new URL(path!, `file:///${name}`).pathname.slice(1);
        assert.ok(files.has(wanted), `${name} names ${path}`);
      }
    }
  });

  test('take nothing from elsewhere, and run nothing inline', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const page = await get(gateway, '/console/');
    const policy = String(page.headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|http|\*/);
    assert.doesNotMatch(page.body, / style=| on\w+=|<style|<script(?![^>]*src=)|https?:/);
    assert.equal(page.headers['set-cookie'], undefined);
  });

  test('are compressed for who takes that, and not sent again to who has them', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    const plain = await get(gateway, '/console/console.css');
    const { headers, rawPayload } = await gateway.app.inject({
      url: '/console/console.css',
      headers: { 'accept-encoding': 'gzip, br' },
    });
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(`${gunzipSync(rawPayload)}`, plain.body);
    const again = await get(gateway, '/console/console.css', {
      'if-none-match': String(headers.etag),
    });
    assert.deepEqual([again.status, again.body], [304, '']);
  });

  test('are found from the root, and nothing beside them is', async (t) => {
    const gateway = makeGateway(t, new StandInEngine());
    for (const path of ['/', '/console']) {
      const { status, headers } = await get(gateway, path);
      assert.deepEqual([status, headers.location], [302, 'console/'], path);
    }
    for (const path of ['main.ts', 'main.d.ts', '../package.json', '%2e%2e/client/index.js']) {
      assert.equal((await get(gateway, `/console/${path}`)).status, 404, path);
    }
  });
});

test('the page is open to all, what it shows to those with a key', async (t) => {
  const gateway = makeGateway(t, new StandInEngine(), { keys: [KEY] });
  assert.equal((await get(gateway, '/console/')).status, 200);
  const answer = await get(gateway, '/console/events');
  assert.deepEqual([answer.status, answer.body], [401, '{"error":"Unauthorized"}']);
  const head = await gateway.app.inject({ method: 'HEAD', url: '/console/events' });
  assert.equal(head.statusCode, 404);
});
