import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { SohuClient } from '../../services/client/index.ts';
import { type LiveCluster, startLiveCluster } from '../gateway/live-cluster.ts';
import { openChromium } from '../support/chromium.ts';
import { startCli } from '../support/cli.ts';
import { until } from '../support/live-cluster.ts';
import { openConsole, untilState } from './open-console.ts';

/** Keeps so many requests open until the signal fires. */
async function load({ client }: LiveCluster, width: number, signal: AbortSignal): Promise<void> {
  const stream = async (): Promise<void> => {
    while (!signal.aborted) {
      await client.generate(
        { prompt: 'Once upon a time', maxTokens: 200, temperature: 1 },
        { signal },
      );
    }
  };
  await Promise.allSettled(Array.from({ length: width }, stream));
}

async function isIdle({ telemetry }: SohuClient): Promise<boolean> {
  const { running, waiting, kvBlocksUsed } = (await telemetry.snapshot()).load;
  return running + waiting + kvBlocksUsed === 0;
}

suite('the console of a live cluster', { timeout: 240_000 }, () => {
  test('follows load, stops what it began, and survives a restart', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const cluster = await startLiveCluster(t);
    if (cluster === undefined) return;
    const { client, url, up, env } = cluster;
    const { page, errors, origins } = await openConsole(t, browser, url);
    await untilState(page, 'serving');

    const stop = new AbortController();
    const loading = load(cluster, 3, stop.signal);
    await page.locator('#rows tr').nth(2).waitFor();
    await page.locator('#requests tr').nth(2).waitFor();
    await until('chips are busy', async () => {
      const busy = await page.locator('#chips [data-field="busy"]').allInnerTexts();
      return busy.length === 2 && busy.every((text) => Number.parseFloat(text) > 50);
    });
    stop.abort();
    await loading;
    await until('the requests are over', () => isIdle(client));
    await until('the console shows it', async () => (await page.locator('#rows tr').count()) === 0);

    await page.locator('input[name="max_tokens"]').fill('900');
    await page.locator('#play-run').click();
    await page.locator('#rows tr.own').waitFor();
    await page.locator('#play-stop').click();
    await until('its KV blocks are free', () => isIdle(client));
    await page.locator('#play-note', { hasText: 'stopped' }).waitFor();

    const { chips } = await client.telemetry.snapshot();
    for (const { rank, droppedFrames, hbmWeightBytes } of chips) {
      const tile = page.locator(`#chips [data-rank="${rank}"]`);
      await tile.locator('[data-field="busy"]', { hasText: /^0 %$/ }).waitFor();
      const shown = (field: string) => tile.locator(`[data-field="${field}"]`).textContent();
      assert.equal(await shown('droppedFrames'), String(droppedFrames));
      assert.match(
        `${await shown('memoryParts')}`,
        new RegExp(`^weights ${(hbmWeightBytes / 1e6).toFixed(2)} MB`),
      );
    }

    up.child.kill('SIGTERM');
    await up.exited;
    await untilState(page, 'gateway away');
    const { port } = new URL(url);
    const again = startCli(t, env, ['up', '--tp', '2', '--no-demo', '--port', port]);
    await again.untilPrinted('stderr', 'Serving');
    assert.match(again.printed('stdout'), new RegExp(`^Console +${url}/console/$`, 'm'));
    await untilState(page, 'serving');
    await page.locator('#journal', { hasText: 'started anew' }).waitFor();
    await page.locator('input[name="max_tokens"]').fill('20');
    await page.locator('#play-run').click();
    await page.locator('#play-note', { hasText: '20 tokens in' }).waitFor();
    assert.deepEqual([errors, [...origins]], [[], [url]]);
  });
});
