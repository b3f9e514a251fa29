import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * Whether a test may go on. Where `condition` does not hold, the test is skipped with the message, or fails where
 * SOHU_TEST_REQUIRE_ALL=1 forbids skipping.
 */
export function requireOrSkip(t: TestContext, condition: boolean, message: string): boolean {
  if (condition) return true;
  if (process.env.SOHU_TEST_REQUIRE_ALL === '1') throw new Error(`required: ${message}`);
  t.skip(message);
  return false;
}

/** The path of a file of the reference models, or undefined after skipping the test where they are absent. */
export function requireReference(t: TestContext, name: string): string | undefined {
  const path = resolve(process.cwd(), '..', 'shared', 'data', 'models', name);
  return requireOrSkip(t, existsSync(path), `the reference data ${name}`) ? path : undefined;
}

/** The folder of the models that come with the program. */
export const BUNDLED_MODELS = resolve(process.cwd(), 'models');
