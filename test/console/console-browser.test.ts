import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RpcError } from '../../services/client/index.ts';
import { sha256 } from '../../services/gateway/access/api-keys.ts';
import { makeGateway, startGateway } from '../gateway/make-gateway.ts';
import { StandInEngine, talkOn, until } from '../gateway/stand-in-engine.ts';
import { openChromium } from '../support/chromium.ts';
import { makeEnd, makePart, makeSnapshot, makeStep } from './made-telemetry.ts';
import {
  accessibilityProblems,
  isTooWide,
  type Looks,
  openConsole,
  untilState,
  WIDE,
} from './open-console.ts';

/** An engine of two chips that has a batch, and steps as long as somebody watches. */
function makeEngine(): StandInEngine {
  const engine = new StandInEngine();
  engine.snapshot = makeSnapshot();
  engine.steps = async function* (signal) {
    const sequences = [
      makePart('cmpl-0123456789abcdef0123', { phase: 'prefill', tokens: 40, start: 0 }),
      makePart('mine', { index: 1, start: 31 }),
    ];
    const load = { running: 3, waiting: 2, kvBlocksUsed: 100 };
    for (let step = 1; !signal.aborted; step++) {
      const ended = step === 1 ? [makeEnd('over', { preemptions: 2 })] : [];
      yield makeStep(step, { ...load, sequences, ended });
      await delay(20);
    }
  };
  return engine;
}

suite('the console in a browser', { timeout: 120_000 }, () => {
  test('shows what the snapshot and the steps say', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { url } = await startGateway(t, makeEngine());
    const { page, errors, origins, transferred } = await openConsole(t, browser, url);
    await untilState(page, 'serving');
    await page.locator('#requests tr').nth(2).waitFor();
    const text = (selector: string) => page.locator(selector).textContent();
    const tile = (field: string) => text(`#chips [data-rank="1"] [data-field="${field}"]`);
    const tiles = {
      ...{ rank: '1', state: 'joining', mfu: '12.5 %', hbmBandwidth: '25.0 %' },
      ...{ linkBandwidth: '6.25 %', busy: '50.0 %', droppedFrames: '6' },
      memory: '117 GB of 144 GB',
      memoryParts: 'weights 36.0 GB · KV 18.0 GB / 72.0 GB · act. 9.00 GB',
      ...{ step: '4.00 ms', stepParts: 'compute 3.00 ms · communication 1.00 ms' },
    };
    for (const [field, expected] of Object.entries(tiles))
      assert.equal(await tile(field), expected);
    const rates = {
      ...{ generated: '1.23 k', prompt: '33.3', stepMs: '46.5', stepsPerSecond: '21.5' },
      ...{ deviceGenerated: '777 k', devicePrompt: '55.5 k', deviceStep: '118', binds: 'memory' },
      host: 'measured: the CPUs that compute the tokens',
      claim: 'input, by construction: Sohu as claimed',
      ...{ running: '3', waiting: '2', preemptions: '11', hitRate: '25.0 %' },
      kv: '100 of 400 (25.0 %)',
    };
    for (const [field, expected] of Object.entries(rates)) {
      assert.equal(await text(`#rates [data-field="${field}"]`), expected, field);
    }
    assert.deepEqual(await page.locator('#rows tr').allInnerTexts(), [
      '012345…0123\tprefill\t40\t40\t3\t',
      'mine #1\tdecode\t1\t32\t2\t',
    ]);
    const over = page.locator('#requests tr', { hasText: 'preempted 2×' });
    const [cells] = await over.allInnerTexts();
    assert.equal(
      cells!.trim(),
      'over\tstop, preempted 2×\t100 ms\t200 ms\t300 ms\t12 (4 cached) + 9',
    );
    t.diagnostic(`${transferred()} bytes over the wire`);
    assert.ok(transferred() > 10_000 && transferred() < 100_000, `${transferred()} bytes`);
    assert.deepEqual([errors, [...origins]], [[], [url]]);
  });

  test('can be used by all, in both colour schemes, narrow and wide', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { url } = await startGateway(t, makeEngine());
    const narrow: Looks = { width: 360, height: 740, colorScheme: 'dark' };
    for (const looks of [WIDE, { ...WIDE, colorScheme: 'dark' as const }, narrow]) {
      const { page, errors } = await openConsole(t, browser, url, looks);
      await untilState(page, 'serving');
      await page.locator('#rows tr').first().waitFor();
      assert.deepEqual(await accessibilityProblems(page), [], JSON.stringify(looks));
      assert.equal(await isTooWide(page), false, JSON.stringify(looks));
      await page.keyboard.press('Tab');
      assert.equal(await page.locator(':focus').textContent(), 'Skip to the cluster');
      await page.locator('#key-open').press('Enter');
      assert.deepEqual(await accessibilityProblems(page), [], 'with the dialog');
      await page.keyboard.press('Escape');
      assert.equal(await page.locator(':focus').textContent(), 'Key');
      assert.deepEqual(errors, []);
    }
  });

  test('asks for a key, keeps it to itself, and uses it for prompts too', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const limits = { requestsPerMinute: undefined, tokensPerMinute: undefined };
    const keys = [{ name: 'ann', digest: sha256('alpha'), isAdmin: false, ...limits }];
    const engine = makeEngine();
    const { url } = await startGateway(t, engine, { keys });
    const { page, errors } = await openConsole(t, browser, url);
    await untilState(page, 'locked');
    for (const key of ['wrong', 'alpha']) {
      await page.locator('input[name="key"]').fill(key);
      await page.locator('input[name="key"]').press('Enter');
      await untilState(page, key === 'alpha' ? 'serving' : 'locked');
    }
    await page.locator('#play-run').click();
    await page.locator('#play-note', { hasText: 'tokens in' }).waitFor();
    assert.equal(engine.requests[0]!.clientId, 'ann');
    const kept =
      'JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href])';
    assert.doesNotMatch(String(await page.evaluate(kept)), /alpha/);
    assert.deepEqual(errors, []);
  });

  test('streams an answer, and Stop ends it in the engine', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const engine = makeEngine();
    engine.script = talkOn(' word');
    const { url } = await startGateway(t, engine);
    const { page, errors } = await openConsole(t, browser, url);
    await page.locator('input[value="chat"]').check();
    await page.locator('textarea').fill('Tell me');
    await page.locator('input[name="temperature"]').fill('0.25');
    await page.locator('input[name="max_tokens"]').fill('900');
    await page.locator('input[name="seed"]').fill('7');
    await page.locator('textarea').press('Control+Enter');
    await page.locator('#play-answer', { hasText: 'word word' }).waitFor();
    const { temperature, maxTokens, seed } = engine.requests[0]!;
    assert.deepEqual([temperature, maxTokens, seed], [0.25, 900, 7]);
    assert.equal(engine.openCount, 1);
    await page.locator('#play-stop').click();
    await until('the engine hears of it', () => engine.openCount === 0);
    await page.locator('#play-note', { hasText: 'stopped' }).waitFor();
    await page.locator('input[name="max_tokens"]').fill('9999');
    await page.locator('#play-run').click();
    await page.locator('#play-answer.failed', { hasText: 'maximum context length' }).waitFor();
    assert.deepEqual(errors, []);
  });

  test('says that the cluster is away, and goes on when it is back', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const engine = makeEngine();
    const first = await startGateway(t, engine);
    const { page, errors } = await openConsole(t, browser, first.url);
    await untilState(page, 'serving');
    engine.snapshot = new RpcError('UNAVAILABLE', 'nobody is there');
    await untilState(page, 'away');
    await page.locator('#banner', { hasText: 'nobody is there' }).waitFor();
    engine.snapshot = makeSnapshot({ epoch: 4 });
    await untilState(page, 'serving');
    await page.locator('#journal', { hasText: 'epoch 3 → 4' }).waitFor();
    assert.equal(await page.locator('#banner').isVisible(), false);

    await first.gateway.close();
    await untilState(page, 'gateway away');
    const port = Number(new URL(first.url).port);
    await makeGateway(t, engine).listen({ host: '127.0.0.1', port });
    await untilState(page, 'serving');
    await page.locator('#rows tr').first().waitFor();
    assert.deepEqual(errors, []);
  });
});
