import { type CsvRow, numberOf, readCsv } from './csv.ts';

/** A matrix product that somebody timed: [rows, inputs] × [inputs, outputs]. */
export interface MeasuredGemm {
  readonly format: 'fp8' | 'bf16';
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly seconds: number;
}

/** Attention of one layer of a 70B model's shard (64 heads, 8 KV heads, 128 wide, over `tp`). */
export interface MeasuredAttention {
  readonly kind: 'context' | 'generation';
  readonly tp: number;
  readonly kvBytes: 1 | 2;
  /** Whether it multiplied in fp8. */
  readonly narrow: boolean;
  readonly batch: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** An all-reduce of bf16 elements over `tp` chips. */
export interface MeasuredAllReduce {
  readonly tp: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** A table of timed operators. */
export interface MeasuredOperators {
  readonly gemms: readonly MeasuredGemm[];
  readonly attention: readonly MeasuredAttention[];
  readonly allReduces: readonly MeasuredAllReduce[];
}

/** Reads timed operators; sizes of all-reduces are in bf16 elements there, not in bytes. */
export function readMeasuredOperators(path: string): MeasuredOperators {
  const rows = readCsv(path).filter((row) => numberOf(row, 'm_or_batch_or_ar_elems') > 0);
  return {
    gemms: rows.filter(({ op }) => op === 'gemm').flatMap(readGemm),
    attention: rows.filter(({ op }) => op?.endsWith('attention')).map(readAttention),
    allReduces: rows.filter(({ op }) => op === 'allreduce').map(readAllReduce),
  };
}

function readGemm(row: CsvRow): readonly MeasuredGemm[] {
  const format = { fp8: 'fp8', bfloat16: 'bf16' }[row.dtype ?? ''] as 'fp8' | 'bf16' | undefined;
  if (format === undefined) return [];
  return [
    {
      format,
      rows: numberOf(row, 'm_or_batch_or_ar_elems'),
      outputs: numberOf(row, 'n_or_seqlen'),
      inputs: numberOf(row, 'k'),
      seconds: secondsOf(row),
    },
  ];
}

function readAttention(row: CsvRow): MeasuredAttention {
  return {
    kind: row.op === 'context_attention' ? 'context' : 'generation',
    tp: numberOf(row, 'tp'),
    kvBytes: row.dtype === 'fp8' ? 1 : 2,
    narrow: row.name === 'fp8',
    batch: numberOf(row, 'm_or_batch_or_ar_elems'),
    tokens: numberOf(row, 'n_or_seqlen'),
    seconds: secondsOf(row),
  };
}

function readAllReduce(row: CsvRow): MeasuredAllReduce {
  const elements = numberOf(row, 'm_or_batch_or_ar_elems');
  return { tp: numberOf(row, 'tp'), bytes: 2 * elements, seconds: secondsOf(row) };
}

function secondsOf(row: CsvRow): number {
  return numberOf(row, 'latency_ms') / 1000;
}
