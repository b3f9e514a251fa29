import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import type { SohuClient } from '../../client/index.ts';
import { MAX_TIMEOUT_MS } from '../../rpc/call-options.ts';
import type { WantedCluster } from '../../runtime/state/cluster-records.ts';
import { addClusterOptions, type ClusterOptions } from '../serve/cluster-options.ts';
import { openSession } from '../serve/session.ts';
import { wantedCluster } from '../serve/wanted-cluster.ts';
import { countOf, formatMs } from '../terminal/format.ts';
import { Progress } from '../terminal/progress.ts';
import { listenForStop } from '../terminal/stop-requests.ts';
import { generateAll } from './generate.ts';
import { OrderedTexts } from './ordered-texts.ts';
import {
  addRequestOptions,
  checkRequestOptions,
  type RequestOptions,
  requestOf,
} from './request-options.ts';
import { describeOutputs, labelOf } from './request-report.ts';
import { outputsOf, type PromptResult, runResult } from './run-result.ts';
import { searchAll } from './search.ts';

interface RunOptions extends ClusterOptions, RequestOptions {
  /** Seconds; undefined where there is no limit. */
  readonly timeout: number | undefined;
  readonly json: true | undefined;
  readonly verbose: true | undefined;
}

interface Run {
  readonly prompts: readonly string[];
  readonly options: RunOptions;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

const EXAMPLES = `Examples:
  sohu run "Once upon a time"
  sohu run --temperature 0.8 --seed 7 "The dragon said" "The cat said"
  sohu run --n 4 --temperature 1 --stop "." --verbose "The dog was"
  sohu run --beam-width 4 --max-tokens 20 "The dog was"
  sohu run --model stories260K.bin --precision f32 --tp 2 --json "Once upon a time"
`;

/** Adds `sohu run`, which continues prompts. */
export function addRunCommand(program: Command): void {
  addRequestOptions(addClusterOptions(program.command('run')))
    .description('Continue prompts, with the running cluster or with one started for the call.')
    .argument('<prompts...>', 'texts to continue; several share the batch')
    .option('--timeout <seconds>', 'longest time for all texts', seconds)
    .option('--json', 'print one JSON object with texts, tokens, timings and chips')
    .option('--verbose', 'tell of every text how long it took and why it ended')
    .addHelpText('before', EXAMPLES)
    .action((prompts: string[], options: RunOptions, command: Command) =>
      run(prompts, options, wantedCluster(options, command)),
    );
}

async function run(
  prompts: readonly string[],
  options: RunOptions,
  wanted: WantedCluster,
): Promise<void> {
  checkRequestOptions(options);
  const signal = listenForStop();
  const progress = new Progress();
  try {
    const session = await openSession(wanted, { options, signal, progress });
    try {
      const work = { prompts, options, signal, progress };
      const broken = session.failed.then((error) => Promise.reject(error));
      await Promise.race([generate(session.client, work), broken]);
    } finally {
      await session.close();
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** Generates, and prints the texts or the object. */
async function generate(client: SohuClient, work: Run): Promise<void> {
  const { options, signal, progress } = work;
  const before = await client.serverInfo({ signal });
  const startMs = performance.now();
  const results = await (options.beamWidth === undefined ? sample : search)(client, work);
  if (options.json) {
    // A server that is stopping finishes what it accepted, and takes no further call.
    const info = await client.serverInfo({ signal }).catch(() => before);
    process.stdout.write(`${JSON.stringify(runResult(info, results))}\n`);
  }
  if (options.verbose) for (const line of describeOutputs(before, results)) progress.note(line);
  progress.note(summary(results, performance.now() - startMs));
}

function sample(client: SohuClient, work: Run): Promise<PromptResult[]> {
  const { prompts, options, signal } = work;
  const texts = startTexts(work);
  return generateAll({
    client,
    prompts,
    request: requestOf(options),
    call: { signal, timeoutMs: timeoutMsOf(options) },
    onText: ({ prompt, choice }, text) => texts?.push(prompt * options.n + choice, text),
    onEnd: ({ prompt, choice }) => texts?.end(prompt * options.n + choice),
  });
}

async function search(client: SohuClient, work: Run): Promise<PromptResult[]> {
  const { prompts, options, signal } = work;
  const { n, beamWidth, maxTokens, lengthPenalty, priority, ignoreEos } = options;
  const results = await searchAll({
    client,
    prompts,
    request: {
      ...{ beamWidth: beamWidth!, maxTokens, lengthPenalty, priority },
      ignoreEos: ignoreEos ?? false,
      cacheSalt: options.cacheSalt ?? '',
      clientId: options.clientId ?? '',
    },
    shown: n,
    call: { signal, timeoutMs: timeoutMsOf(options) },
  });
  const texts = startTexts(work);
  results.forEach((result, prompt) => {
    const outputs = outputsOf(result);
    for (let choice = 0; choice < n; choice++) {
      texts?.push(prompt * n + choice, outputs[choice]?.text ?? '');
      texts?.end(prompt * n + choice);
    }
  });
  return results;
}

/** Titles, which only several texts need, are not part of the output; with --json it has no texts. */
function startTexts({ prompts, options, progress }: Run): OrderedTexts | undefined {
  if (options.json) return undefined;
  const { n } = options;
  return new OrderedTexts({
    count: prompts.length * n,
    write: (text) => process.stdout.write(text),
    onStart: (index) => {
      const prompt = Math.floor(index / n);
      const label = labelOf({ prompt, choice: index % n, choices: n });
      const quoted = JSON.stringify(prompts[prompt]);
      if (prompts.length * n > 1) progress.note(`${label}: ${quoted}`);
    },
  });
}

function timeoutMsOf({ timeout }: RunOptions): number | undefined {
  return timeout === undefined ? undefined : Math.ceil(1000 * timeout);
}

function summary(results: readonly PromptResult[], durationMs: number): string {
  const outputs = results.flatMap(outputsOf);
  const tokens = outputs.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  const rate = Math.round((1000 * tokens) / durationMs);
  return `${countOf(tokens, 'token')} in ${formatMs(durationMs)}: ${rate} tokens/s.`;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && 1000 * value <= MAX_TIMEOUT_MS) return value;
  throw new InvalidOptionError(`It must be a number of seconds, up to ${MAX_TIMEOUT_MS / 1000}.`);
}
