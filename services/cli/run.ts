import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { SohuClient } from '../client/index.ts';
import { findChip } from '../core/hardware/chip-catalogue.ts';
import { findModel } from '../runtime/cluster/check-servable.ts';
import { SERVING_FIELDS } from '../runtime/options/serving-options.ts';
import type { WantedCluster } from '../runtime/state/cluster-records.ts';
import { addClusterOptions, type ClusterOptions } from './cluster-options.ts';
import { EXIT_CODES_HELP } from './errors.ts';
import { countOf, formatMs } from './format.ts';
import { generateAll } from './generate.ts';
import { OrderedTexts } from './ordered-texts.ts';
import { Progress } from './progress.ts';
import {
  addRequestOptions,
  checkRequestOptions,
  type RequestOptions,
  requestOf,
} from './request-options.ts';
import { describeOutputs, labelOf } from './request-report.ts';
import { outputsOf, type PromptResult, runResult } from './run-result.ts';
import { searchAll } from './search.ts';
import { openSession } from './session.ts';
import { listenForStop } from './stop-requests.ts';

interface RunOptions extends ClusterOptions, RequestOptions {
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
    .option('--json', 'print one JSON object with texts, tokens, timings and chips')
    .option('--verbose', 'tell of every text how long it took and why it ended')
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
  const startMs = performance.now();
  const results = await (options.beamWidth === undefined ? sample : search)(client, work);
  const info = await client.serverInfo({ signal });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(runResult(info, results))}\n`);
  }
  if (options.verbose) for (const line of describeOutputs(info, results)) progress.note(line);
  progress.note(summary(results, performance.now() - startMs));
}

function sample(client: SohuClient, work: Run): Promise<PromptResult[]> {
  const { prompts, options, signal } = work;
  const texts = startTexts(work);
  return generateAll({
    client,
    prompts,
    request: requestOf(options),
    signal,
    onText: ({ prompt, choice }, text) => texts?.push(prompt * options.n + choice, text),
    onEnd: ({ prompt, choice }) => texts?.end(prompt * options.n + choice),
  });
}

async function search(client: SohuClient, work: Run): Promise<PromptResult[]> {
  const { prompts, options, signal } = work;
  const { n, beamWidth, maxTokens, lengthPenalty, priority, ignoreEos, cacheSalt } = options;
  const results = await searchAll({
    client,
    prompts,
    request: {
      ...{ beamWidth: beamWidth!, maxTokens, lengthPenalty, priority },
      ignoreEos: ignoreEos ?? false,
      cacheSalt: cacheSalt ?? '',
    },
    shown: n,
    signal,
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

/** What the user asked for by name; anything will do for the rest. */
function wantedCluster(options: RunOptions, command: Command): WantedCluster {
  const given = [...SERVING_FIELDS, 'cluster' as const]
    .filter((name) => command.getOptionValueSource(name) === 'cli')
    .map((name) => [name, options[name]]);
  const { model, tokenizer, chip, ...others } = Object.fromEntries(given) as WantedCluster;
  return {
    ...others,
    ...(model !== undefined && { model: findModel(model, options.weights) }),
    ...(chip !== undefined && { chip: findChip(chip).name }),
    ...(tokenizer !== undefined && { tokenizer: resolve(tokenizer) }),
  };
}

function summary(results: readonly PromptResult[], durationMs: number): string {
  const outputs = results.flatMap(outputsOf);
  const tokens = outputs.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  const rate = Math.round((1000 * tokens) / durationMs);
  return `${countOf(tokens, 'token')} in ${formatMs(durationMs)}: ${rate} tokens/s.`;
}
