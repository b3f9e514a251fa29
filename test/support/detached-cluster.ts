import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { natsServerBinary } from './broker.ts';
import {
  type CliEnvironment,
  listDescendants,
  makeCliEnvironment,
  runCli,
  startCli,
} from './cli.ts';

/** A cluster of two chips that serves in the background. */
export interface Detached {
  readonly env: CliEnvironment;
  readonly cluster: Readonly<Record<string, unknown>> & { readonly pid: number };
  /** The program in the background, and what it started. */
  readonly processes: readonly { readonly pid: number }[];
}

/** What `sohu ps` lists. */
export async function listClusters(
  t: TestContext,
  env: CliEnvironment,
): Promise<Detached['cluster'][]> {
  const { code, stdout, stderr } = await runCli(t, env, ['ps', '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** A cluster of two chips in the background; undefined where the test is skipped. */
export async function startDetached(
  t: TestContext,
  args: readonly string[] = [],
  env = makeCliEnvironment(t),
): Promise<Detached | undefined> {
  if ((await natsServerBinary(t)) === undefined) return undefined;
  const up = await runCli(t, env, ['up', '--detach', '--tp', '2', '--port', '0', ...args]);
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stdout, /^HTTP +http:/m);
  assert.match(up.stderr, /Loading shards.*Serving tinystories-5m \(fp8\) until `sohu down`\.\n$/s);
  const [cluster] = await listClusters(t, env);
  const { pid } = cluster!;
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  return { env, cluster: cluster!, processes: [{ pid }, ...listDescendants(pid)] };
}

/** A request that takes a while, whose text has begun. */
export async function startLongRun(t: TestContext, env: CliEnvironment, tokens: number) {
  const args = ['run', '--ignore-eos', '--max-tokens', String(tokens), 'Once upon a time'];
  const run = startCli(t, env, args);
  await run.untilPrinted('stdout', ' there was');
  return run;
}
