import { FORMATS, type Format } from '../core/hardware/chip.ts';
import { ModelError } from '../core/support/errors.ts';
import { type CsvRow, numberOf, readCsv } from './csv.ts';

const METRICS = ['output_tokens_per_s', 'ttft_ms', 'tpot_ms'] as const;
const TABLES = [
  'trtllm-static',
  'trtllm-2048-128',
  'trtllm-inflight',
  'trtllm-online',
  'vllm-1024-1024',
] as const;

export type PublishedMetric = (typeof METRICS)[number];
export type PublishedTable = (typeof TABLES)[number];

/** One figure that somebody measured and published. */
export interface PublishedRow {
  readonly table: PublishedTable;
  readonly version: string;
  readonly model: string;
  readonly chip: string;
  readonly precision: Format;
  readonly tp: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly metric: PublishedMetric;
  /** Batch size or clients; undefined where it was unbounded. */
  readonly sequences: number | undefined;
  readonly maxNumBatchedTokens: number | undefined;
  readonly maxNumSeqs: number | undefined;
  /** Requests a second that arrive on their own; undefined where clients wait or all are there at once. */
  readonly requestRate: number | undefined;
  readonly value: number;
  /** Why the row says little about the silicon; undefined for a sound one. */
  readonly doubt: string | undefined;
  readonly source: string;
}

/** Reads a table of published figures; a ModelError names the field that it refuses. */
export function readPublishedRows(path: string): readonly PublishedRow[] {
  return readCsv(path).map((row) => ({
    table: oneOf(row, 'table', TABLES),
    version: row.version ?? '',
    model: row.model ?? '',
    chip: row.chip ?? '',
    precision: oneOf(row, 'precision', FORMATS),
    tp: numberOf(row, 'tp'),
    inputTokens: numberOf(row, 'input_tokens'),
    outputTokens: numberOf(row, 'output_tokens'),
    metric: oneOf(row, 'metric', METRICS),
    sequences: optionalNumber(row, 'sequences'),
    maxNumBatchedTokens: optionalNumber(row, 'max_num_batched_tokens'),
    maxNumSeqs: optionalNumber(row, 'max_num_seqs'),
    requestRate: optionalNumber(row, 'request_rate'),
    value: numberOf(row, 'value'),
    doubt: row.doubt || undefined,
    source: row.source ?? '',
  }));
}

/** A row in short, as reports name it. */
export function describeRow(row: PublishedRow): string {
  const sequences = row.sequences === undefined ? '' : ` ×${row.sequences}`;
  const rate = row.requestRate === undefined ? '' : ` ${row.requestRate}/s`;
  return `${row.version} ${row.model} ${row.chip} ${row.precision} TP${row.tp} ${row.inputTokens}/${row.outputTokens}${sequences}${rate} ${row.metric}`;
}

function optionalNumber(row: CsvRow, field: string): number | undefined {
  return (row[field] ?? '') === '' ? undefined : numberOf(row, field);
}

function oneOf<T extends string>(row: CsvRow, field: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === row[field]);
  if (found !== undefined) return found;
  throw new ModelError(
    `${field} must be one of ${choices.join(', ')}, not ${JSON.stringify(row[field] ?? '')}`,
  );
}
