import type { Command } from 'commander';
import { chipCount } from '../../core/timing/layout.ts';
import {
  isByConstruction,
  type LoadPrice,
  type PlacedModel,
  type PricedLoad,
  uncertainFigures,
} from '../../core/timing/load-price.ts';
import { costOver, type PriceSpan, priceSpan, rangeOver } from '../../core/timing/price-span.ts';
import { softwareParametersOf } from '../../core/timing/software-parameters.ts';
import { limitsOf } from '../../core/timing/step-limits.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import { addLoadOptions, type LoadOptions, placeModel } from './load-options.ts';
import { caveats, operatorTable } from './price-parts.ts';
import { textOfSample } from './price-sample.ts';
import { formatNumber, formatRange, formatShare } from './quantity.ts';

const EXAMPLES = `Examples:
  sohu price --chip H100 --isl 2048 --osl 128 --software trtllm-0.10.0
  sohu price --chip Sohu --isl 2048 --osl 128          as claimed, with the ranges that follow
  sohu price --model deepseek-v3 --chip H200 --dp 2 --ep 16 --concurrency 256 --json
`;

interface PriceOptions extends LoadOptions {
  readonly isl: number;
  readonly osl: number;
  readonly concurrency: number | undefined;
  readonly json?: true;
}

/** Adds `sohu price`: the steady state of a load in closed form, and where its time goes. */
export function addPriceCommand(program: Command): void {
  addLoadOptions(
    program
      .command('price')
      .description('Say in closed form what device time a steady load takes, and where it goes.')
      .addHelpText('before', EXAMPLES),
  )
    .option('--isl <tokens>', 'prompt tokens of a request', wholeNumber(1), 2048)
    .option('--osl <tokens>', 'output tokens of a request', wholeNumber(1), 128)
    .option('--concurrency <clients>', 'requests kept open (default: always more)', wholeNumber(1))
    .option('--json', 'print one JSON object')
    .action(price);
}

function price(options: PriceOptions): void {
  const placed = placeModel(options);
  const text =
    placed.architecture.diffusion === undefined
      ? textOfLoad(placed, options)
      : textOfSample(placed, options.json === true);
  process.stdout.write(`${text}\n`);
}

function textOfLoad(placed: PlacedModel, options: PriceOptions): string {
  const run = { ...placed, inputTokens: options.isl, outputTokens: options.osl };
  const limits = limitsOf(placed.software, run);
  const load: PricedLoad = {
    ...run,
    maxNumBatchedTokens: options.maxNumBatchedTokens ?? limits.maxNumBatchedTokens,
    maxNumSeqs: options.maxNumSeqs ?? limits.maxNumSeqs,
    concurrency: options.concurrency ?? Number.POSITIVE_INFINITY,
  };
  const span = priceSpan(load);
  const { middle } = span;
  return options.json
    ? JSON.stringify(report(load, span))
    : [
        ...summary(load, span),
        operatorTable(middle.operators, middle.state.price),
        ...caveats(load),
      ].join('\n');
}

function report({ chip, software, layout }: PricedLoad, span: PriceSpan) {
  const { middle } = span;
  const { state } = middle;
  return {
    clock: 'device',
    chip: chip.name,
    chips: chipCount(layout),
    software: software.name,
    basis: softwareParametersOf(software).version,
    output_throughput: rangeOver(span, (end) => end.outputTokensPerSecond),
    total_token_throughput: rangeOver(span, (end) => end.totalTokensPerSecond),
    mean_tpot_ms: rangeOver(span, ({ state: { tpotSeconds } }) => 1000 * tpotSeconds),
    mean_ttft_ms: rangeOver(span, ({ state: { ttftSeconds } }) => 1000 * ttftSeconds),
    mfu: rangeOver(span, (end) => end.state.price.mfu),
    hbm_utilization: rangeOver(span, (end) => end.state.price.hbmUtilization),
    link_utilization: rangeOver(span, (end) => end.state.price.linkUtilization),
    joules_per_million_tokens: costOver(span, 'joules'),
    dollars_per_million_tokens: costOver(span, 'dollars'),
    by_construction: isByConstruction(chip),
    uncertain: uncertainFigures(chip),
    step: { limit: state.limit, shape: state.shape, ...state.price },
    operators: middle.operators,
    memory: middle.plan,
  };
}

function summary(load: PricedLoad, span: PriceSpan): string[] {
  const { state } = span.middle;
  const line = (name: string, of: (price: LoadPrice) => number, unit: string): string =>
    `${name.padEnd(22)} ${formatRange(rangeOver(span, of))} ${unit}`;
  const share = (name: string, of: (price: LoadPrice) => number): string =>
    `${name.padEnd(22)} ${formatRange(rangeOver(span, of), formatShare)}`;
  return [
    `${load.architecture.name} on ${chipCount(load.layout)} × ${load.chip.name}, ${load.inputTokens}/${load.outputTokens}, ${load.software.name}: device time`,
    line('Output', (end) => end.outputTokensPerSecond, 'tokens/s'),
    line('Input and output', (end) => end.totalTokensPerSecond, 'tokens/s'),
    line('Time per token', (end) => 1000 * end.state.tpotSeconds, 'ms'),
    line('Time to first token', (end) => 1000 * end.state.ttftSeconds, 'ms without queueing'),
    share('Model FLOPs (MFU)', (end) => end.state.price.mfu),
    share('HBM bandwidth', (end) => end.state.price.hbmUtilization),
    share('Links', (end) => end.state.price.linkUtilization),
    `${'Energy'.padEnd(22)} ${formatRange(costOver(span, 'joules'), (joules) => formatNumber(joules / 1000))} kJ per million tokens`,
    `${'Cost'.padEnd(22)} $${formatRange(costOver(span, 'dollars'))} per million tokens`,
    `Sequences in a step    ${formatNumber(state.decodeSequences)} decode, limited by ${state.limit}; ${formatNumber(state.shape.prefillTokens)} prompt tokens`,
    `One such step          ${formatNumber(1000 * state.price.seconds)} ms, bound by ${state.price.binds}:`,
  ];
}
