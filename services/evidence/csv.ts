import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { ModelError } from '../core/support/errors.ts';

/** A row of a CSV file, by the names of its header. */
export type CsvRow = Readonly<Record<string, string>>;

/** Reads a CSV file with a header; a ModelError says what is wrong with it. */
export function readCsv(path: string): readonly CsvRow[] {
  try {
    return parse(readFileSync(path), { columns: true, skip_empty_lines: true }) as CsvRow[];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`${path} must be a readable CSV file: ${reason}`, { cause });
  }
}

/** A field as a number; a ModelError names it where it is none. */
export function numberOf(row: CsvRow, field: string): number {
  const value = Number(row[field] || Number.NaN);
  if (Number.isFinite(value)) return value;
  throw new ModelError(`${field} must be a number, not ${JSON.stringify(row[field] ?? '')}`);
}
