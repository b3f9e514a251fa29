import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { requireOrSkip } from './requirements.ts';

const CHROMIUM = process.env.SOHU_CHROMIUM ?? '/usr/bin/chromium';
/** Root may only run it without its sandbox; nothing of its own may reach out. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real browser, which ends with the test; undefined after skipping the test where there is none. */
export async function startBrowser(t: TestContext): Promise<Browser | undefined> {
  if (!requireOrSkip(t, existsSync(CHROMIUM), `Chromium at ${CHROMIUM} (apt: chromium)`)) {
    return undefined;
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.after(() => browser.close());
  return browser;
}
