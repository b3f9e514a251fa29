import type { Architecture } from '../core/architecture/architecture.ts';
import type { Format } from '../core/hardware/chip.ts';
import type { Calibration } from '../core/timing/calibration-model.ts';
import { predictRow } from './predict-row.ts';
import type { PublishedMetric, PublishedRow, PublishedTable } from './published-row.ts';
import { type RowRole, roleOf } from './row-roles.ts';

/** A published figure beside the model's. */
export interface ValidatedRow {
  readonly row: PublishedRow;
  readonly role: RowRole;
  readonly predicted: number;
  /** predicted / published − 1. */
  readonly error: number;
}

/** The errors of rows of one kind. */
export interface ErrorSummary {
  readonly table: PublishedTable;
  readonly version: string;
  readonly chip: string;
  readonly precision: Format;
  readonly metric: PublishedMetric;
  readonly role: RowRole;
  readonly rows: number;
  readonly medianError: number;
  readonly largestError: number;
  /** Median of predicted / published − 1: above 0 where the model is too fast, or slow for times. */
  readonly bias: number;
  /** Of the rows that nothing makes doubtful; undefined where there is none. */
  readonly soundMedianError: number | undefined;
}

/** Predicts every row. */
export function validateRows(
  rows: readonly PublishedRow[],
  calibration: Calibration,
  architectureOf: (model: string) => Architecture,
): readonly ValidatedRow[] {
  return rows.map((row) => {
    const predicted = predictRow(row, {
      kernels: calibration.kernels,
      version: calibration.versions[row.version]!,
      architecture: architectureOf(row.model),
    });
    return { row, role: roleOf(row, rows), predicted, error: predicted / row.value - 1 };
  });
}

/** One summary for each group that `keyOf` makes, in the order of their first rows. */
export function summarizeErrors(
  validated: readonly ValidatedRow[],
  keyOf: (row: ValidatedRow) => string,
): readonly ErrorSummary[] {
  const groups = new Map<string, ValidatedRow[]>();
  for (const row of validated) {
    const key = keyOf(row);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map(summarize);
}

function summarize(group: readonly ValidatedRow[]): ErrorSummary {
  const { row, role } = group[0]!;
  const errors = group.map(({ error }) => Math.abs(error));
  const sound = group.filter(({ row: { doubt } }) => doubt === undefined);
  return {
    table: row.table,
    version: row.version,
    chip: row.chip,
    precision: row.precision,
    metric: row.metric,
    role,
    rows: group.length,
    medianError: medianOf(errors),
    largestError: Math.max(...errors),
    bias: medianOf(group.map(({ error }) => error)),
    soundMedianError:
      sound.length === 0 ? undefined : medianOf(sound.map(({ error }) => Math.abs(error))),
  };
}

/** The middle value, or the mean of both. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
