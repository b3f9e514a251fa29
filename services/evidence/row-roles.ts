import type { PublishedRow, PublishedTable } from './published-row.ts';

/** How a row took part in the calibration. */
export type RowRole = 'fit' | 'anchor' | 'check';

/** The parameter that an anchor row sets. */
export type AnchoredParameter = 'elementwiseFactor' | 'hostMicrosPerSequence';

/** The one published row of a version that sets a parameter of it. */
export interface Anchor {
  readonly row: PublishedRow;
  readonly parameter: AnchoredParameter;
}

/** Where what a version fuses weighs the most. */
const FUSION: Partial<PublishedRow> = {
  table: 'trtllm-2048-128',
  chip: 'H100',
  precision: 'fp8',
  tp: 8,
  inputTokens: 2048,
  outputTokens: 128,
};

const ALONE = { table: 'trtllm-inflight', tp: 1 } as const;

/**
 * Where the host weighs the most: of the last version of each runtime its smallest model on one H100, and its fastest
 * row, of which every token passed one host.
 */
const HOST: Readonly<Record<string, Partial<PublishedRow>>> = {
  'trtllm-0.15.0': {
    ...ALONE,
    model: 'llama-3.1-8b',
    chip: 'H100',
    precision: 'fp8',
    inputTokens: 1000,
    outputTokens: 1000,
  },
  'trtllm-1.0': {
    ...ALONE,
    model: 'qwen3-30b-a3b',
    chip: 'B200',
    inputTokens: 128,
    outputTokens: 128,
  },
};

/** Nothing is fitted on this version's rows: it is the baseline that others are compared with. */
const UNANCHORED = 'trtllm-0.10.0';

/** Of these, the rows of the chip that kernels were measured on; every other table is only compared. */
const FITTED_TABLES: readonly PublishedTable[] = ['trtllm-static', 'vllm-1024-1024'];

/** Whether a row was fitted, set a parameter of its version, or is a check. */
export function roleOf(row: PublishedRow, rows: readonly PublishedRow[]): RowRole {
  if (isFitted(row)) return 'fit';
  return anchorOf(row.version, rows)?.row === row ? 'anchor' : 'check';
}

/** Whether the row is one of those that versions are fitted on. */
export function isFitted({ table, chip }: PublishedRow): boolean {
  return FITTED_TABLES.includes(table) && chip === 'H100';
}

/** The anchor of a version; undefined where it has none. */
export function anchorOf(version: string, rows: readonly PublishedRow[]): Anchor | undefined {
  if (version === UNANCHORED) return undefined;
  const host = HOST[version];
  const row = rows.find(
    (row) =>
      row.version === version &&
      (host ? matches(row, host) : matches(row, FUSION) && row.model.startsWith('llama-3')),
  );
  return row && { row, parameter: host ? 'hostMicrosPerSequence' : 'elementwiseFactor' };
}

function matches(row: PublishedRow, wanted: Partial<PublishedRow>): boolean {
  return Object.entries(wanted).every(
    ([field, value]) => row[field as keyof PublishedRow] === value,
  );
}
