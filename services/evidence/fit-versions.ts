import type { Architecture } from '../core/architecture/architecture.ts';
import type { KernelParameters, VersionParameters } from '../core/timing/calibration-model.ts';
import { findSoftwareVersion, SOFTWARE_VERSIONS } from '../core/timing/software-version.ts';
import { minimize } from './minimize.ts';
import { predictRow } from './predict-row.ts';
import { describeRow, type PublishedRow, type PublishedTable } from './published-row.ts';

/** How a row took part in the calibration. */
export type RowRole = 'fit' | 'anchor' | 'check';

export interface VersionFitOptions {
  readonly kernels: KernelParameters;
  readonly rows: readonly PublishedRow[];
  readonly architectureOf: (model: string) => Architecture;
}

/** Of a step beside its layers: scheduling, sampling, launch (assumed; no table separates it). */
const STEP_OVERHEAD_MICROS = 1000;
/** TensorRT-LLM's scales are static: what comes before a product quantises for it. */
const STATIC_SCALES = 0;

/** Of these, the rows of the chip that kernels were measured on; every other table is only compared. */
const FITTED_TABLES: readonly PublishedTable[] = ['trtllm-static', 'vllm-1024-1024'];
/** Where what a version fuses weighs the most: one row of each that has such a one. */
const ANCHOR = { chip: 'H100', precision: 'fp8', tp: 8, inputTokens: 2048, outputTokens: 128 };
/** Nothing is fitted on this version's rows: it is the baseline that others are compared with. */
const UNANCHORED = 'trtllm-0.10.0';

/** Whether a row was fitted, set its version's overlap, or is a check. */
export function roleOf(row: PublishedRow, rows: readonly PublishedRow[]): RowRole {
  if (isFit(row)) return 'fit';
  return anchorOf(row.version, rows) === row ? 'anchor' : 'check';
}

/**
 * Parameters of every version. Those of TensorRT-LLM are fitted on its static batches; later versions
 * keep them, and one row of each sets its overlap. vLLM's are fitted on its closed loops.
 */
export function fitVersions(options: VersionFitOptions): Record<string, VersionParameters> {
  const fitted = fitStatic(options);
  const versions: Record<string, VersionParameters> = {};
  let before: { readonly name: string; readonly parameters: VersionParameters } | undefined;
  for (const { name } of SOFTWARE_VERSIONS.filter(({ name }) => name.startsWith('trtllm'))) {
    const parameters = parametersOf(name, { fitted, before, options });
    versions[name] = parameters;
    before = { name, parameters };
  }
  return { ...versions, ...fitVllm(options) };
}

/** A version with neither a fitted row nor an anchor keeps what the version before it has. */
function parametersOf(
  version: string,
  from: {
    readonly fitted: VersionParameters;
    readonly before: { readonly name: string; readonly parameters: VersionParameters } | undefined;
    readonly options: VersionFitOptions;
  },
): VersionParameters {
  const { fitted, before, options } = from;
  const anchor = anchorOf(version, options.rows);
  if (anchor !== undefined) return anchorOn(anchor, fitted, options);
  const isFitted = options.rows.some((row) => row.version === version && isFit(row));
  const { mechanics } = findSoftwareVersion(version);
  if (isFitted || before === undefined) return { ...fitted, ...mechanics };
  const { anchor: _, ...kept } = before.parameters;
  return {
    ...kept,
    ...mechanics,
    basis: `as ${before.name}; nothing is fitted on this version`,
  };
}

/** The Llama-3 row of the version at the anchor's layout. */
function anchorOf(version: string, rows: readonly PublishedRow[]): PublishedRow | undefined {
  if (version === UNANCHORED) return undefined;
  return rows.find(
    (row) =>
      row.version === version &&
      row.table === 'trtllm-2048-128' &&
      row.model.startsWith('llama-3') &&
      Object.entries(ANCHOR).every(([field, value]) => row[field as keyof PublishedRow] === value),
  );
}

function isFit(row: PublishedRow): boolean {
  return FITTED_TABLES.includes(row.table) && row.chip === 'H100';
}

function fitStatic(options: VersionFitOptions): VersionParameters {
  const rows = options.rows.filter((row) => isFit(row) && row.table === 'trtllm-static');
  const build = ([elementwiseFactor, layerOverheadMicros]: readonly number[]) => ({
    quantisationShare: STATIC_SCALES,
    elementwiseFactor: elementwiseFactor!,
    layerOverheadMicros: layerOverheadMicros!,
    stepOverheadMicros: STEP_OVERHEAD_MICROS,
    ...findSoftwareVersion(rows[0]!.version).mechanics,
    collectiveOverlap: 0,
    operatorOverlap: 0,
    basis: `fitted on ${rows.length} static batches of 0.8 and 0.9`,
  });
  const values = minimize(
    (candidate) => meanRowError(rows, build(candidate), options),
    [
      { start: 1, low: 0.5, high: 5 },
      { start: 20, low: 0, high: 150 },
    ],
  );
  return roundParameters(build(values));
}

function fitVllm(options: VersionFitOptions): Record<string, VersionParameters> {
  const rows = options.rows.filter((row) => row.table === 'vllm-1024-1024');
  const build = ([
    quantisationShare,
    elementwiseFactor,
    layerOverheadMicros,
    overlap,
  ]: readonly number[]) => ({
    quantisationShare: quantisationShare!,
    elementwiseFactor: elementwiseFactor!,
    layerOverheadMicros: layerOverheadMicros!,
    stepOverheadMicros: STEP_OVERHEAD_MICROS,
    ...findSoftwareVersion(rows[0]!.version).mechanics,
    collectiveOverlap: overlap!,
    operatorOverlap: 0,
    basis: `fitted on ${rows.length} figures of closed loops`,
  });
  const values = minimize(
    (candidate) => meanRowError(rows, build(candidate), options),
    [
      { start: 0.5, low: 0, high: 1 },
      { start: 1, low: 0.5, high: 5 },
      { start: 20, low: 0, high: 150 },
      { start: 0, low: 0, high: 0.9 },
    ],
  );
  return Object.fromEntries(
    [...new Set(rows.map(({ version }) => version))].map((version) => [
      version,
      roundParameters(build(values)),
    ]),
  );
}

/** The elementwise factor at which a version's anchor row comes out right, or the nearest bound to it. */
function anchorOn(
  row: PublishedRow,
  fitted: VersionParameters,
  options: VersionFitOptions,
): VersionParameters {
  const build = (elementwiseFactor: number): VersionParameters => ({
    ...fitted,
    ...findSoftwareVersion(row.version).mechanics,
    elementwiseFactor,
    basis: 'static batches of 0.8 and 0.9; elementwise factor from the anchor row',
    anchor: describeRow(row),
  });
  const [factor] = minimize(
    ([candidate]) => meanRowError([row], build(candidate!), options),
    [{ start: 1, low: 0, high: 5 }],
  );
  return roundParameters(build(factor!));
}

function meanRowError(
  rows: readonly PublishedRow[],
  version: VersionParameters,
  { kernels, architectureOf }: VersionFitOptions,
): number {
  const sum = rows.reduce((total, row) => {
    const predicted = predictRow(row, {
      kernels,
      version,
      architecture: architectureOf(row.model),
    });
    return total + Math.abs(Math.log(predicted / row.value));
  }, 0);
  return sum / rows.length;
}

function roundParameters(parameters: VersionParameters): VersionParameters {
  const round = (value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  return Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => [key, round(value)]),
  ) as unknown as VersionParameters;
}
