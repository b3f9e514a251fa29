import { type Command, Option } from 'commander';
import { choice, numberBetween, wholeNumber } from '../../runtime/options/option-values.ts';
import { nkeyOption } from '../serve/cluster-options.ts';
import { addWorkloadOptions, type WorkloadOptions } from '../sim/workload-options.ts';
import { addHtmlOption, type HtmlOptions } from '../terminal/html-output.ts';

/** As `vllm bench serve` names them, and our own protocol. */
export const BACKENDS = ['openai', 'openai-chat', 'sohu'] as const;

export interface BenchOptions extends WorkloadOptions, HtmlOptions {
  readonly backend: (typeof BACKENDS)[number];
  readonly baseUrl: string | undefined;
  readonly nats: string | undefined;
  readonly natsNkeyFile: string | undefined;
  readonly cluster: string | undefined;
  readonly model: string | undefined;
  readonly apiKey: string | undefined;
  readonly datasetFile: string | undefined;
  readonly temperature: number;
  readonly ignoreEos: boolean;
  readonly cancellationRate: number;
  readonly cancellationDelay: number;
  readonly timeout: number;
  readonly json?: true;
}

/** Adds the options of a load test. */
export function addBenchOptions(command: Command): Command {
  command
    .addOption(choice('--backend <name>', 'completions, chats, or the SDK', BACKENDS, 'openai'))
    .option('--base-url <url>', 'server to load (default: the cluster that runs here)')
    .option('--nats <url>', 'broker of the backend sohu (default: of the cluster that runs here)')
    .addOption(nkeyOption())
    .option('--cluster <name>', 'of the clusters that run here, or behind --nats')
    .option('--model <name>', 'served name (default: the first that the server names)')
    .addOption(new Option('--api-key <key>', 'bearer token').env('OPENAI_API_KEY'));
  addWorkloadOptions(command)
    .option('--dataset-file <file>', 'prompts: JSONL with prompt and maybe output_tokens')
    .option('--temperature <number>', 'of the draws', numberBetween(0, 100), 0)
    .option('--no-ignore-eos', 'let answers end before their length');
  command
    .option(
      '--cancellation-rate <share>',
      'clients that leave before the end',
      numberBetween(0, 1),
      0,
    )
    .option('--cancellation-delay <ms>', 'when they leave', wholeNumber(0), 500)
    .option('--timeout <seconds>', 'of one request', wholeNumber(1), 600)
    .option('--json', 'print one JSON object');
  return addHtmlOption(command);
}
