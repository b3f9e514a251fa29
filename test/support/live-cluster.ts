import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { natsServerBinary } from './broker.ts';
import {
  type CliEnvironment,
  type CliProcess,
  listDescendants,
  makeCliEnvironment,
  startCli,
} from './cli.ts';

/** A `sohu up` that serves. */
export interface LiveCluster {
  readonly env: CliEnvironment;
  readonly up: CliProcess;
  readonly natsUrl: string;
  /** What it printed of its addresses. */
  readonly addresses: string;
  /** The pid of the first process of the cluster whose title has the text. */
  pidOf(title: string): number;
}

/** Starts a cluster for the length of one test; undefined where the test is skipped. */
export async function startLiveCluster(
  t: TestContext,
  args: readonly string[],
): Promise<LiveCluster | undefined> {
  if ((await natsServerBinary(t)) === undefined) return undefined;
  const env = makeCliEnvironment(t);
  const up = startCli(t, env, ['up', '--no-demo', '--port', '0', ...args]);
  await up.untilPrinted('stdout', 'SohuClient.connect');
  await up.untilPrinted('stderr', 'Serving');
  const record = join(env.XDG_STATE_HOME!, 'sohu', 'clusters', `${up.pid}.json`);
  const { natsUrl } = JSON.parse(readFileSync(record, 'utf8'));
  const pidOf = (title: string): number => {
    const found = listDescendants(up.pid).find((process) => process.title.includes(title));
    assert.ok(found !== undefined, `a process ${title}`);
    return found.pid;
  };
  return { env, up, natsUrl, addresses: up.printed('stdout'), pidOf };
}

/** Waits for a condition that other processes bring about. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < 60_000; await delay(5)) {
    if (await holds()) return;
  }
  throw new Error(`not within a minute: ${what}`);
}
