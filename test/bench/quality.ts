/**
 * Prints how far the bundled model's predictions in bf16 and fp8 lie from those in f32, over stories that it is made to
 * read token by token.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { openTokenizer } from '../../services/checkpoint/tokenizer-file.ts';
import type { KvCacheDtype, Precision } from '../../services/core/model/precision.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { SingleChip } from '../support/single-chip.ts';

const MODEL = join(BUNDLED_MODELS, 'tinystories-5m');
/** Tokens of a window: the context that the model was trained at. */
const WINDOW = 256;
const TEXT = join(process.cwd(), 'test', 'bench', 'quality-text.txt');

const VARIANTS: readonly { readonly precision: Precision; readonly kvCacheDtype: KvCacheDtype }[] =
  [
    { precision: 'f32', kvCacheDtype: 'f32' },
    { precision: 'bf16', kvCacheDtype: 'bf16' },
    { precision: 'fp8', kvCacheDtype: 'bf16' },
    { precision: 'fp8', kvCacheDtype: 'fp8' },
  ];

/** How one variant's predictions differ from the first one's, averaged over the positions of the text. */
interface Quality {
  readonly meanError: number;
  readonly maxError: number;
  /** Kullback–Leibler divergence of the variant from the first one, in nats. */
  readonly divergence: number;
  /** Share of positions where the most likely token is the same. */
  readonly agreement: number;
  readonly perplexity: number;
}

/** The text in windows that each begin with the beginning-of-text token, [windows][tokens]. */
function readWindows(): number[][] {
  const checkpoint = openCheckpoint(MODEL);
  checkpoint.close();
  const tokenizer = openTokenizer({ modelPath: MODEL, config: checkpoint.config });
  const [begin, ...tokens] = tokenizer.encode(readFileSync(TEXT, 'utf8').trim());
  const windows: number[][] = [];
  for (let start = 0; start < tokens.length; start += WINDOW - 1) {
    windows.push([begin!, ...tokens.slice(start, start + WINDOW - 1)]);
  }
  return windows;
}

function logSoftmax(logits: Float32Array): Float64Array {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Float64Array.from(logits, (logit) => logit - largest - Math.log(total));
}

function argMax(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `targets[i]` is the token after position i of the text; undefined where a window ends. */
function compare(
  rows: readonly Float32Array[],
  reference: readonly Float32Array[],
  targets: readonly (number | undefined)[],
): Quality {
  const errors = rows.map((row, i) => Array.from(row, (x, j) => Math.abs(x - reference[i]![j]!)));
  const logs = rows.map(logSoftmax);
  const divergences = reference.map((row, i) =>
    logSoftmax(row).reduce((sum, log, j) => sum + Math.exp(log) * (log - logs[i]![j]!), 0),
  );
  const losses = targets.flatMap((token, i) => (token === undefined ? [] : [-logs[i]![token]!]));
  return {
    meanError: mean(errors.map(mean)),
    maxError: errors.reduce((largest, row) => Math.max(largest, ...row), 0),
    divergence: mean(divergences),
    agreement: mean(rows.map((row, i) => (argMax(row) === argMax(reference[i]!) ? 1 : 0))),
    perplexity: Math.exp(mean(losses)),
  };
}

async function main(): Promise<void> {
  const windows = readWindows();
  const targets = windows.flatMap((tokens) => tokens.map((_, i) => tokens[i + 1]));
  const table = new Table({
    head: [
      'linear layers',
      'KV cache',
      'mean |error|',
      'max |error|',
      'KL (nats)',
      'same top-1',
      'perplexity',
      'against f32',
    ],
    style: { head: [], border: [] },
  });
  let reference: Float32Array[] | undefined;
  let best = 0;
  for (const { precision, kvCacheDtype } of VARIANTS) {
    const options = { model: MODEL, precision, kvCacheDtype, maxTokens: WINDOW };
    const chip = await SingleChip.load(options);
    const rows = windows.flatMap((tokens) => chip.logits(tokens));
    reference ??= rows;
    const quality = compare(rows, reference, targets);
    best ||= quality.perplexity;
    table.push([
      precision,
      kvCacheDtype,
      quality.meanError.toFixed(4),
      quality.maxError.toFixed(3),
      quality.divergence.toExponential(2),
      `${(100 * quality.agreement).toFixed(2)} %`,
      quality.perplexity.toFixed(3),
      `${(100 * (quality.perplexity / best - 1)).toFixed(2)} %`,
    ]);
  }
  console.log(
    `tinystories-5m over ${targets.length} tokens in windows of ${WINDOW}; logit errors against f32`,
  );
  console.log(table.toString());
}

await main();
