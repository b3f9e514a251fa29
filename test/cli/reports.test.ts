import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startGateway } from '../gateway/make-gateway.ts';
import { StandInEngine } from '../gateway/stand-in-engine.ts';
import { openChromium } from '../support/chromium.ts';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const MOST_BYTES = 300_000;
/** Whether anything was drawn on every canvas: pixels that differ from the first one. */
const ALL_DRAWN = `[...document.querySelectorAll('canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(data.buffer);
  return pixels.some((pixel) => pixel !== pixels[0]);
})`;

interface Written {
  readonly path: string;
  /** What `--json` printed in the same run. */
  readonly json: ReturnType<typeof JSON.parse>;
}

async function writeReport(t: TestContext, args: readonly string[]): Promise<Written> {
  const path = join(makeTemporaryDirectory(t), 'report.html');
  const exit = await runCli(t, makeCliEnvironment(t), [...args, '--json', '--html', path]);
  assert.equal(exit.code, 0, exit.stderr);
  return { path, json: JSON.parse(exit.stdout) };
}

/** Opens a report, light and dark, and holds what must be true of every one. */
async function openChecked(browser: Browser, path: string, plots: number): Promise<Page> {
  const backgrounds = new Set<unknown>();
  let page: Page | undefined;
  for (const colorScheme of ['dark', 'light'] as const) {
    page = await browser.newPage({ colorScheme, viewport: { width: 1240, height: 900 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!/^(?:file|data):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(`file://${path}`);
    assert.deepEqual(await page.evaluate(ALL_DRAWN), new Array(plots).fill(true));
    backgrounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    assert.equal(
      await page.evaluate('document.documentElement.scrollWidth > innerWidth'),
      false,
      'nothing sticks out',
    );
    assert.deepEqual(complaints, []);
  }
  assert.equal(backgrounds.size, 2);
  assert.ok(statSync(path).size < MOST_BYTES, `${statSync(path).size} bytes`);
  return page!;
}

/** The numbers of the cells below a heading. */
async function numbersBelow(page: Page, heading: string): Promise<readonly number[]> {
  const section = page.locator('section', { has: page.locator('h2', { hasText: heading }) });
  const values = await section
    .locator('data')
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('value')!));
  return values.flatMap((value) => value.split(' ').map(Number));
}

/** Every number of an object, ranges and nested ones included. */
function numbersOf(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbersOf);
}

function assertIncludes(shown: readonly number[], wanted: readonly number[]): void {
  const set = new Set(shown);
  assert.deepEqual(
    wanted.filter((value) => !set.has(value)),
    [],
  );
}

suite('reports in a browser', () => {
  test('sohu sim: every figure of --json, plots, and a link to the trace beside it', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const trace = join(makeTemporaryDirectory(t), 'odd #?name.json');
    const args = ['--chip', 'Sohu', '--num-prompts', '60', '--request-rate', '30'];
    const { path, json } = await writeReport(t, ['sim', ...args, '--trace-out', trace]);
    const page = await openChecked(browser, path, 8);
    assert.deepEqual(await numbersBelow(page, 'Every figure'), numbersOf(json));
    assertIncludes(await numbersBelow(page, 'In short'), [json.output_throughput, json.mfu]);
    const href = (await page.evaluate("document.querySelector('a').href")) as string;
    assert.equal(JSON.parse(readFileSync(new URL(href), 'utf8')).otherData.clock, 'device');
  });

  test('sohu sim --search: every layout', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const args = ['--chip', 'H100', '--chips', '8', '--num-prompts', '20', '--slo', 'ttft:500'];
    const { path, json } = await writeReport(t, ['sim', ...args, '--search']);
    const page = await openChecked(browser, path, 0);
    const rates = json.layouts.map(
      (layout: { highest_request_rate: number }) => layout.highest_request_rate,
    );
    assertIncludes(await numbersBelow(page, 'Layouts'), rates);
  });

  test('sohu compare: every row, in its order', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { path, json } = await writeReport(t, ['compare']);
    const page = await openChecked(browser, path, 0);
    for (const field of ['total_token_throughput_range', 'output_throughput', 'mfu_range']) {
      assertIncludes(
        await numbersBelow(page, 'Throughput'),
        numbersOf(json.rows.map((row: Record<string, unknown>) => row[field])),
      );
    }
    assert.deepEqual(
      await numbersBelow(page, 'What binds'),
      numbersOf(json.rows.map(({ busy }: { busy: object }) => busy)),
    );
    assertIncludes(
      await numbersBelow(page, 'Measured'),
      numbersOf(json.rows.map((row: Record<string, unknown>) => row.dollars_per_million_tokens)),
    );
  });

  test('sohu compare --sweep: a line a chip', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { path, json } = await writeReport(t, ['compare', '--sweep']);
    const page = await openChecked(browser, path, 4);
    const first = page.locator('figure', { hasText: 'Processed tokens/s' }).first();
    const cells = await first
      .locator('details data')
      .evaluateAll((all) => all.map((cell) => Number(cell.getAttribute('value'))));
    assertIncludes(
      cells,
      json.rows.map((row: { total_token_throughput: number }) => row.total_token_throughput),
    );
  });

  test('sohu audit: verdicts, what decides them, and every published row', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { path, json } = await writeReport(t, ['audit']);
    const page = await openChecked(browser, path, 0);
    assertIncludes(
      await numbersBelow(page, 'What would have to be true'),
      numbersOf(
        json.verdicts.map(({ need, factor }: { need: object; factor: object }) => ({
          need,
          factor,
        })),
      ),
    );
    assertIncludes(
      await numbersBelow(page, 'What nobody disclosed'),
      numbersOf(
        json.sensitivity.map(({ tokensPerSecond }: { tokensPerSecond: object }) => tokensPerSecond),
      ),
    );
    const ratios = json.baselines.map(({ ratio }: { ratio: number }) => ratio);
    assert.ok(ratios.length > 100);
    assertIncludes(await numbersBelow(page, 'Every published row'), ratios);
    const sources = await page.locator('ol.sources li').count();
    const referred = await page.locator('tbody tr td:last-child').allTextContents();
    assert.ok(referred.some((text) => text.includes(String(sources))));
  });

  test('sohu audit of a claim whose name is a script', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const claim = JSON.parse(
      readFileSync('services/evidence/claims/etched-sohu-2024.json', 'utf8'),
    );
    const name = '</title><script>window.hacked = 1</script>';
    const file = join(makeTemporaryDirectory(t), 'claim.json');
    writeFileSync(file, JSON.stringify({ ...claim, name, source: name, sources: {} }));
    const { path } = await writeReport(t, ['audit', file]);
    const page = await openChecked(browser, path, 0);
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.ok((await page.locator('h1').textContent())!.startsWith(name));
  });

  test('sohu scenario: measures, parts and assumptions', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { path, json } = await writeReport(t, ['scenario', 'video-generation']);
    const page = await openChecked(browser, path, 0);
    assertIncludes(
      await numbersBelow(page, 'What it comes to'),
      numbersOf(json.rows.map((row: { measures: object }) => row.measures)),
    );
    assertIncludes(
      await numbersBelow(page, 'Where the time goes'),
      numbersOf(json.rows.map((row: { latency_seconds: object }) => row.latency_seconds)).filter(
        (seconds) => seconds > 0,
      ),
    );
    assert.deepEqual(await numbersBelow(page, 'What is assumed'), numbersOf(json.assumptions));
    assert.ok((await page.locator('header').textContent())!.includes(json.said.text));
  });

  test('sohu bench: what clients saw, every figure of --json', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { url } = await startGateway(t, new StandInEngine());
    const args = ['--base-url', url, '--isl', '8', '--osl', '4', '--num-prompts', '12'];
    const { path, json } = await writeReport(t, ['bench', ...args]);
    const page = await openChecked(browser, path, 4);
    assert.deepEqual(await numbersBelow(page, 'Every figure'), numbersOf(json));
  });

  test('prints, black on white even where the system is dark', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const { path } = await writeReport(t, ['sim', '--chip', 'H100', '--num-prompts', '20']);
    const page = await browser.newPage({ colorScheme: 'dark' });
    await page.goto(`file://${path}`);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    assert.equal(background, 'rgb(251, 251, 250)');
    assert.ok(((await page.evaluate(ALL_DRAWN)) as boolean[]).every(Boolean));
    assert.ok((await page.pdf()).subarray(0, 5).equals(Buffer.from('%PDF-')));
  });
});

suite('--html', () => {
  test('equal runs write equal bytes', async (t) => {
    const args = [
      'sim',
      '--chip',
      'H100',
      '--num-prompts',
      '30',
      '--request-rate',
      '20',
      '--seed',
      '3',
    ];
    const [first, second] = [await writeReport(t, args), await writeReport(t, args)];
    assert.ok(readFileSync(first.path).equals(readFileSync(second.path)));
  });

  test('says where it cannot write', async (t) => {
    const path = join(makeTemporaryDirectory(t), 'absent', 'report.html');
    const exit = await runCli(t, makeCliEnvironment(t), ['compare', '--html', path]);
    assert.equal(exit.code, 2);
    assert.match(exit.stderr, /^error: html must be a file that can be written: /);
  });
});
