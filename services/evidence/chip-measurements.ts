import { join } from 'node:path';
import { type CsvRow, numberOf, readCsv } from './csv.ts';
import type { MeasuredGemm } from './measured-operators.ts';

/** What a chip drew on average, under a load whose work alternated with rest. */
export interface MeasuredPower {
  readonly chip: string;
  /** Of the factors; undefined where memory was copied. */
  readonly format: 'fp8' | 'bf16' | undefined;
  readonly workSeconds: number;
  readonly restSeconds: number;
  /** Of the work. */
  readonly flops: number;
  readonly bytes: number;
  readonly watts: number;
}

/** The products of tokens with the matrices of the experts that they are routed to. */
export interface MeasuredGrouped {
  readonly format: 'fp8' | 'bf16';
  readonly tokens: number;
  readonly experts: number;
  readonly active: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly seconds: number;
}

/** A kernel that passes over memory: a plain read, or the norms, activations and quantising of a layer. */
export interface MeasuredStream {
  readonly chip: string;
  readonly kernel: string;
  readonly bytes: number;
  readonly seconds: number;
}

/** What was measured on single chips: the tables of services/evidence/measured, whose README describes them. */
export interface ChipMeasurements {
  /** Products of ready inputs on H100, in bursts that no power limit slows. */
  readonly products: readonly MeasuredGemm[];
  readonly grouped: readonly MeasuredGrouped[];
  readonly streams: readonly MeasuredStream[];
  readonly power: readonly MeasuredPower[];
}

/** Reads the tables of a folder; a ModelError names what is wrong. */
export function readChipMeasurements(folder: string): ChipMeasurements {
  const read = (name: string): readonly CsvRow[] => readCsv(join(folder, `${name}.csv`));
  return {
    products: read('products')
      .filter(({ chip }) => chip === 'H100')
      .map(readProduct),
    grouped: read('grouped').map(readGrouped),
    streams: read('streams').map(readStream),
    power: read('power').map(readPower),
  };
}

function readProduct(row: CsvRow): MeasuredGemm {
  return {
    format: formatOf(row),
    rows: numberOf(row, 'rows'),
    inputs: numberOf(row, 'inputs'),
    outputs: numberOf(row, 'outputs'),
    seconds: microsOf(row, 'micros'),
  };
}

function readGrouped(row: CsvRow): MeasuredGrouped {
  return {
    format: formatOf(row),
    tokens: numberOf(row, 'tokens'),
    experts: numberOf(row, 'experts'),
    active: numberOf(row, 'active'),
    inputs: numberOf(row, 'inputs'),
    outputs: numberOf(row, 'outputs'),
    seconds: microsOf(row, 'micros'),
  };
}

function readStream(row: CsvRow): MeasuredStream {
  return {
    chip: row.chip!,
    kernel: row.kernel!,
    bytes: numberOf(row, 'bytes'),
    seconds: microsOf(row, 'micros'),
  };
}

function readPower(row: CsvRow): MeasuredPower {
  return {
    chip: row.chip!,
    format: row.format === 'fp8' || row.format === 'bf16' ? row.format : undefined,
    workSeconds: microsOf(row, 'work_micros'),
    restSeconds: microsOf(row, 'rest_micros'),
    flops: numberOf(row, 'flops'),
    bytes: numberOf(row, 'bytes'),
    watts: numberOf(row, 'watts'),
  };
}

function formatOf({ format }: CsvRow): 'fp8' | 'bf16' {
  return format === 'fp8' ? 'fp8' : 'bf16';
}

function microsOf(row: CsvRow, field: string): number {
  return numberOf(row, field) * 1e-6;
}
