import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { requireOrSkip } from './requirements.ts';

const CHROMIUM = process.env.SOHU_CHROMIUM ?? '/usr/bin/chromium';
/** Root may only run it without its sandbox; nothing of its own may reach out. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** A browser without a window, which the caller closes. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

/** A browser without a window for the length of one test; undefined after skipping the test where there is none. */
export async function openChromium(t: TestContext): Promise<Browser | undefined> {
  if (!requireOrSkip(t, existsSync(CHROMIUM), `Chromium at ${CHROMIUM} (apt: chromium)`)) {
    return undefined;
  }
  const browser = await launchChromium();
  t.after(() => browser.close());
  return browser;
}
