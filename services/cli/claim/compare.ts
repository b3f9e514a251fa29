import type { Command } from 'commander';
import { FORMATS } from '../../core/hardware/chip.ts';
import { choice, wholeNumber } from '../../runtime/options/option-values.ts';
import { addHtmlOption, type HtmlOptions, writeHtml } from '../terminal/html-output.ts';
import { printedTable } from '../terminal/table.ts';
import { BASELINE_CHIP, type CompareRequest, HEADLINE_CHIPS } from './compare-loads.ts';
import { pageOfComparison, pageOfSweep } from './compare-page.ts';
import { type Comparison, compareLoads } from './compare-rows.ts';
import { costsTable, ratesTable, sweepTable } from './compare-tables.ts';
import { bestOfSweep, notesOn, plotOfRows, STATIC_NOTE } from './compare-text.ts';
import {
  type Generation,
  generationsTable,
  gpuGenerations,
  verdictsOnGenerations,
} from './gpu-generations.ts';
import { publishedRows } from './published-rows.ts';

const EXAMPLES = `Examples:
  sohu compare                                   the headline: Llama-3-70B FP8 on eight chips, 2,048/128
  sohu compare --sweep                           the same total length, from long prompts to long answers
  sohu compare --chip B200 --chip MI300X --tp 4  these chips, two replicas each
  sohu compare --software trtllm-1.0 --json
`;
/** Shares of a request's tokens that a sweep lets be output, beside the request's own. */
const SWEEP_SHARES: readonly number[] = [1 / 64, 1 / 4, 1 / 2, 3 / 4, 15 / 16];

interface CompareOptions extends Omit<CompareRequest, 'chip'>, HtmlOptions {
  readonly chip: readonly string[] | undefined;
  readonly sweep?: true;
  readonly json?: true;
}

/** Adds `sohu compare`: chips side by side under one load, and what binds each. */
export function addCompareCommand(program: Command): void {
  const positive = wholeNumber(1);
  addHtmlOption(
    program
      .command('compare')
      .description(
        'Set chips side by side under one load, in device time, and say what binds each.',
      )
      .option('--model <name-or-path>', 'see `sohu models`', 'llama-3-70b')
      .option(
        '--chip <name>',
        `may be repeated (default: ${HEADLINE_CHIPS.join(', ')})`,
        (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
      )
      .option('--chips <count>', 'chips of each kind', positive, 8)
      .option('--tp <chips>', 'tensor-parallel degree (default: up to 8)', positive)
      .option('--pp <stages>', 'pipeline stages', positive, 1)
      .option('--isl <tokens>', 'prompt tokens of a request', positive, 2048)
      .option('--osl <tokens>', 'output tokens of a request', positive, 128)
      .addOption(
        choice(
          '--precision <name>',
          'format of the linear layers, or the next wider',
          FORMATS,
          'fp8',
        ),
      )
      .option('--software <version>', 'of all chips (default: the oldest published for each)')
      .option('--sweep', 'vary the lengths, at the same total')
      .option('--json', 'print one JSON object')
      .addHelpText('before', EXAMPLES),
  )
    .addHelpText(
      'after',
      `\nProcessed tokens are input and output together. Ratios are over as many ${BASELINE_CHIP}.`,
    )
    .action(compare);
}

function compare(options: CompareOptions): void {
  const request: CompareRequest = { ...options, chip: options.chip ?? HEADLINE_CHIPS };
  const sweep = options.sweep === true;
  const published = publishedRows();
  const comparisons = (sweep ? sweptRequests(request) : [request]).map((each) =>
    compareLoads({ request: each, published, sweep }),
  );
  const comparison = {
    rows: comparisons.flatMap(({ rows }) => rows),
    refused: [...new Set(comparisons.flatMap(({ refused }) => refused))],
  };
  const generations = options.chip === undefined && !sweep ? gpuGenerations() : undefined;
  const text = options.json
    ? JSON.stringify({ workload: workloadOf(request), ...comparison, generations })
    : sweep
      ? textOfSweep(request, comparison)
      : textOfComparison(request, comparison, generations);
  process.stdout.write(`${text}\n`);
  writeHtml(options, () =>
    sweep
      ? pageOfSweep(titleOfSweep(request), comparison)
      : pageOfComparison(titleOf(request), comparison, generations),
  );
}

/** Requests of the same total length, from long prompts to long outputs. */
function sweptRequests(request: CompareRequest): readonly CompareRequest[] {
  const total = request.isl + request.osl;
  const outputs = SWEEP_SHARES.map((share) => Math.max(1, Math.round(share * total)));
  return [...new Set([...outputs, request.osl])]
    .filter((osl) => osl < total)
    .sort((a, b) => a - b)
    .map((osl) => ({ ...request, osl, isl: total - osl }));
}

function workloadOf({ model, chips, isl, osl, precision }: CompareRequest) {
  return {
    model,
    chips,
    input_tokens: isl,
    output_tokens: osl,
    precision,
    baseline: BASELINE_CHIP,
  };
}

function titleOf({ model, chips, isl, osl }: CompareRequest): string {
  return `${model} on ${chips} chips, ${isl}/${osl} tokens, as many requests as fit: device time`;
}

function titleOfSweep({ model, isl, osl }: CompareRequest): string {
  return `${model}, requests of ${isl + osl} tokens, as many as fit: device time`;
}

function textOfComparison(
  request: CompareRequest,
  { rows, refused }: Comparison,
  generations: readonly Generation[] | undefined,
): string {
  return [
    titleOf(request),
    printedTable(ratesTable(rows)),
    printedTable(costsTable(rows)),
    ...notesOn(rows),
    ...refused,
    '',
    plotOfRows(rows),
    ...(generations === undefined ? [] : ['', ...textOfGenerations(generations)]),
  ].join('\n');
}

function textOfGenerations(generations: readonly Generation[]): readonly string[] {
  const table = generationsTable(generations);
  return [`${table.caption}:`, printedTable(table), ...verdictsOnGenerations(generations)];
}

function textOfSweep(request: CompareRequest, { rows, refused }: Comparison): string {
  return [
    titleOfSweep(request),
    printedTable(sweepTable(rows)),
    STATIC_NOTE,
    ...bestOfSweep(rows),
    ...refused,
  ].join('\n');
}
