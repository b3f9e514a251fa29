import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type CliEnvironment, type CliExit, runCli } from './cli.ts';

/** The flags of each command that some invocation of this file had. */
export const EXERCISED = new Map<string, Set<string>>();

/** Runs the program to its end, which must be a good one, and remembers the flags. */
export async function exercise(
  t: TestContext,
  env: CliEnvironment,
  args: readonly string[],
  input?: string,
): Promise<CliExit> {
  const exit = await runCli(t, env, args, input);
  assert.equal(exit.code, 0, `sohu ${args.join(' ')}\n${exit.stderr}`);
  const [command = ''] = args;
  const flags = EXERCISED.get(command) ?? new Set();
  for (const word of args) if (word.startsWith('-')) flags.add(word);
  EXERCISED.set(command, flags);
  return exit;
}

/** The flags of a load on modelled chips. */
export const LOAD = [
  ...[
    '--model',
    'llama-3-8b',
    '--chip',
    'H200',
    '--tp',
    '2',
    '--pp',
    '2',
    '--ep',
    '1',
    '--dp',
    '2',
  ],
  ...['--precision', 'bf16', '--kv-cache-dtype', 'bf16', '--software', 'vllm-0.11'],
  ...['--max-num-batched-tokens', '1024', '--max-num-seqs', '32'],
];
/** The flags of the scheduler. */
export const SCHEDULING = [
  ...['--block-size', '8', '--num-gpu-blocks-override', '512', '--no-enable-prefix-caching'],
  ...['--max-model-len', '256', '--long-prefill-token-threshold', '32'],
  ...['--capacity-scheduler-policy', 'guaranteed_no_evict', '--watermark', '0.1'],
  ...['--max-num-queued-reqs', '30', '--max-num-queued-tokens', '9000'],
];
