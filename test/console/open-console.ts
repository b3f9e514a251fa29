import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

/** A console in a browser, and what it did that it should not have. */
export interface OpenConsole {
  readonly page: Page;
  /** Errors of scripts and of the page's policy; failed requests are none, where a server is away. */
  readonly errors: readonly string[];
  /** Origins that were asked for anything. */
  readonly origins: ReadonlySet<string>;
  /** Bytes of the page's files as they came over the wire, headers included. */
  readonly transferred: () => number;
}

export interface Looks {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

export const WIDE: Looks = { width: 1440, height: 900, colorScheme: 'light' };

/** Opens the console of a gateway. */
export async function openConsole(
  t: TestContext,
  browser: Browser,
  url: string,
  { width, height, colorScheme }: Looks = WIDE,
): Promise<OpenConsole> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  t.after(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    const isAbsence = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAbsence) errors.push(message.text());
  });
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  let bytes = 0;
  network.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(`${url}/`);
  assert.equal(page.url(), `${url}/console/`);
  return { page, errors, origins, transferred: () => bytes };
}

/** Waits until the console shows that. */
export async function untilState(page: Page, state: string): Promise<void> {
  await page.locator(`#state[data-state="${state}"]`).waitFor({ timeout: 60_000 });
}

/** What axe finds against WCAG 2.2 at level AA, and against its own good practice. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run(document)')) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** Whether the page is wider than its window. */
export async function isTooWide(page: Page): Promise<boolean> {
  return (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) as boolean;
}
