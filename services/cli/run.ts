import { resolve } from 'node:path';
import { type Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import type { SohuClient } from '../client/index.ts';
import { checkRequestSampling, DEFAULT_SAMPLING } from '../rpc/request-sampling.ts';
import { findModel } from '../runtime/cluster/check-servable.ts';
import { wholeNumber } from '../runtime/options/option-values.ts';
import { SERVING_FIELDS } from '../runtime/options/serving-options.ts';
import type { WantedCluster } from '../runtime/state/cluster-records.ts';
import { addClusterOptions, type ClusterOptions } from './cluster-options.ts';
import { EXIT_CODES_HELP } from './errors.ts';
import { countOf, formatMs } from './format.ts';
import { generateAll } from './generate.ts';
import { OrderedTexts } from './ordered-texts.ts';
import { Progress } from './progress.ts';
import { type PromptResult, runResult } from './run-result.ts';
import { openSession } from './session.ts';
import { listenForStop } from './stop-requests.ts';

interface RunOptions extends ClusterOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed: number | undefined;
  readonly json: true | undefined;
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
  sohu run --model stories260K.bin --precision f32 --tp 2 --json "Once upon a time"
`;

/** Adds `sohu run`, which continues prompts. */
export function addRunCommand(program: Command): void {
  addClusterOptions(program.command('run'))
    .description('Continue prompts, with the running cluster or with one started for the call.')
    .argument('<prompts...>', 'texts to continue; several share the batch')
    .option('--max-tokens <count>', 'generated tokens', wholeNumber(1), 128)
    .option('--temperature <number>', '0 always takes the likeliest token', decimal, 0)
    .option('--top-p <mass>', 'draw from the likeliest tokens of this probability', decimal, 1)
    .option('--top-k <count>', 'draw from so many likeliest tokens (0: all)', wholeNumber(0), 0)
    .option('--seed <number>', 'repeats the same draws (default: a new one)', wholeNumber(0))
    .option('--json', 'print one JSON object with texts, tokens, timings and chips')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', EXIT_CODES_HELP)
    .action((prompts: string[], options: RunOptions, command: Command) =>
      run(prompts, options, wantedCluster(options, command)),
    );
}

async function run(
  prompts: readonly string[],
  options: RunOptions,
  wanted: WantedCluster,
): Promise<void> {
  checkRequestSampling({ ...DEFAULT_SAMPLING, ...samplingOf(options) });
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
  const { prompts, options, signal, progress } = work;
  const startMs = performance.now();
  const texts = options.json ? undefined : startTexts(prompts, progress);
  const results = await generateAll({
    client,
    prompts,
    sampling: samplingOf(options),
    signal,
    onText: (index, text) => texts?.push(index, text),
    onEnd: (index) => texts?.end(index),
  });
  if (options.json) {
    const info = await client.serverInfo({ signal });
    process.stdout.write(`${JSON.stringify(runResult(info, results))}\n`);
  }
  progress.note(summary(results, performance.now() - startMs));
}

/** Titles, which only several texts need, are not part of the output. */
function startTexts(prompts: readonly string[], progress: Progress): OrderedTexts {
  return new OrderedTexts({
    count: prompts.length,
    write: (text) => process.stdout.write(text),
    onStart: (index) => {
      if (prompts.length > 1) progress.note(`${index + 1}: ${JSON.stringify(prompts[index])}`);
    },
  });
}

/** What the user asked for by name; anything will do for the rest. */
function wantedCluster(options: RunOptions, command: Command): WantedCluster {
  const given = [...SERVING_FIELDS, 'cluster' as const]
    .filter((name) => command.getOptionValueSource(name) === 'cli')
    .map((name) => [name, options[name]]);
  const { model, tokenizer, ...others } = Object.fromEntries(given) as WantedCluster;
  return {
    ...others,
    ...(model !== undefined && { model: findModel(model) }),
    ...(tokenizer !== undefined && { tokenizer: resolve(tokenizer) }),
  };
}

function samplingOf({ maxTokens, temperature, topP, topK, seed }: RunOptions) {
  return { maxTokens, temperature, topP, topK, seed };
}

function summary(results: readonly PromptResult[], durationMs: number): string {
  const tokens = results.reduce((sum, { completion }) => sum + completion.tokenIds.length, 0);
  const rate = Math.round((1000 * tokens) / durationMs);
  return `${countOf(tokens, 'token')} in ${formatMs(durationMs)}: ${rate} tokens/s.`;
}

function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidOptionError('It must be a number.');
}
