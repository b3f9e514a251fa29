/**
 * Measures how long after its end a step is to be seen in the console, in a real browser: before an
 * engine that only says that it steps, so often a second and with so many sequences, or with --url before
 * a gateway that serves. Clocks are those of one machine.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import type { Page } from 'playwright-core';
import { readEvents } from '../../services/console/event-reader.ts';
import type { ConsoleEvent } from '../../services/console/events.ts';
import { Gateway } from '../../services/gateway/gateway.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { makePart, makeSnapshot, makeStep } from '../console/made-telemetry.ts';
import { MODEL, SETTINGS } from '../gateway/make-gateway.ts';
import { StandInEngine } from '../gateway/stand-in-engine.ts';
import { launchChromium } from '../support/chromium.ts';
import { digits, printTable } from './table.ts';

interface Options {
  readonly url: string | undefined;
  readonly seconds: number;
  readonly sequences: number;
}

/** A step that the page shows, and when the picture with it was done. */
type Shown = readonly [endedMs: number, shownMs: number];

const RATES = [20, 60, 250, 1000];
/** The attribute changes before a picture; the one after it begins when that is done. */
const OBSERVE = `document.addEventListener('DOMContentLoaded', () => {
  const batch = document.querySelector('#batch');
  window.shown = [];
  new MutationObserver(() => {
    const ended = Number(batch.dataset.endedMs);
    requestAnimationFrame(() => window.shown.push([ended, Date.now()]));
  }).observe(batch, { attributeFilter: ['data-ended-ms'] });
})`;

async function measure(url: string, seconds: number): Promise<void> {
  const browser = await launchChromium();
  const stop = new AbortController();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(OBSERVE);
    await page.goto(`${url}/console/`);
    const ends: number[] = [];
    const reading = collectEnds(url, ends, stop.signal);
    await delay(seconds * 1000);
    stop.abort();
    await reading;
    print(ends, await shownOf(page), seconds);
  } finally {
    await browser.close();
  }
}

async function shownOf(page: Page): Promise<readonly Shown[]> {
  // What ended last may still be on its way.
  await delay(500);
  return (await page.evaluate('window.shown')) as readonly Shown[];
}

/** The ends of all steps, as another viewer hears of them. */
async function collectEnds(url: string, ends: number[], signal: AbortSignal): Promise<void> {
  try {
    const { body } = await fetch(`${url}/console/events`, { signal });
    for await (const data of readEvents(body!)) {
      const event = JSON.parse(data) as ConsoleEvent;
      if (event.kind === 'steps') ends.push(...event.steps.map(({ endedMs }) => endedMs));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A step is shown by the first picture of it or of a later one. */
function print(ends: readonly number[], shown: readonly Shown[], seconds: number): void {
  const delays = ends
    .flatMap((end) => {
      const picture = shown.find(([endedMs]) => endedMs >= end);
      return picture === undefined || end < shown[0]![0] ? [] : [picture[1] - end];
    })
    .sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(delays[Math.min(delays.length - 1, Math.floor(share * delays.length))]!);
  printTable([
    {
      'steps/s': Math.round(ends.length / seconds),
      'pictures/s': digits(shown.length / seconds, 3),
      'p50 ms': at(0.5),
      'p99 ms': at(0.99),
      'most ms': at(1),
      'within 250 ms, %': digits(
        (100 * delays.filter((ms) => ms <= 250).length) / delays.length,
        5,
      ),
    },
  ]);
}

async function measureStandIn(rate: number, { seconds, sequences }: Options): Promise<void> {
  const engine = new StandInEngine();
  engine.snapshot = makeSnapshot();
  const batch = Array.from({ length: sequences }, (_, i) => makePart(`cmpl-${i}-of-the-bench`));
  const load = { sequences: batch, running: sequences };
  engine.steps = async function* (signal) {
    const startMs = performance.now();
    for (let step = 1; !signal.aborted; step++) {
      await delay(Math.max(0, startMs + (step * 1000) / rate - performance.now()));
      yield makeStep(step, load);
    }
  };
  const gateway = new Gateway({
    ...{ engine, model: MODEL, keys: [], settings: SETTINGS, maxBodyBytes: 1024 },
    nowMs: () => performance.now(),
  });
  try {
    await measure(await gateway.listen({ host: '127.0.0.1', port: 0 }), seconds);
  } finally {
    await gateway.close();
  }
}

const command = new Command('bench:console')
  .option('--url <url>', 'a gateway that serves; without one, engines at several rates')
  .option('--seconds <number>', 'for each', wholeNumber(1), 8)
  .option('--sequences <number>', 'in the batch of an engine of the bench', wholeNumber(1), 64)
  .parse();
const options = command.opts<Options>();
if (options.url !== undefined) await measure(options.url.replace(/\/$/, ''), options.seconds);
else for (const rate of RATES) await measureStandIn(rate, options);
