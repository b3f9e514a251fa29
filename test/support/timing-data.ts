import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { requireOrSkip } from './requirements.ts';

/** The folder of the measured operators, or undefined after skipping the test where it is absent. */
export function requireTimingData(t: TestContext): string | undefined {
  const folder =
    process.env.SOHU_TIMING_DATA ?? resolve(process.cwd(), '..', 'shared', 'data', 'timing');
  return requireOrSkip(t, existsSync(folder), 'measured operators') ? folder : undefined;
}
