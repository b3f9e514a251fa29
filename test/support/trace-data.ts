import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { requireOrSkip } from './requirements.ts';

/** The path of a production trace, or undefined after skipping the test where it is absent. */
export function requireTrace(t: TestContext, name: string): string | undefined {
  const path = resolve(process.cwd(), '..', 'shared', 'data', 'traces', name);
  return requireOrSkip(t, existsSync(path), `the trace ${name}`) ? path : undefined;
}
