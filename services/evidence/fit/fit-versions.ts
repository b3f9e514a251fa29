import type { Architecture } from '../../core/architecture/architecture.ts';
import type { KernelParameters, VersionParameters } from '../../core/timing/calibration-model.ts';
import { findSoftwareVersion, SOFTWARE_VERSIONS } from '../../core/timing/software-version.ts';
import { meanError } from '../mean-error.ts';
import { minimize } from '../minimize.ts';
import { predictRow } from '../predict-row.ts';
import { describeRow, type PublishedRow } from '../published-row.ts';
import { type Anchor, type AnchoredParameter, anchorOf, isFitted } from '../row-roles.ts';

export interface VersionFitOptions {
  readonly kernels: KernelParameters;
  readonly rows: readonly PublishedRow[];
  readonly architectureOf: (model: string) => Architecture;
}

/** Of a step (assumed; no table separates it). */
const HOST_MICROS = 1000;

/** The two runtimes of TensorRT-LLM: the engine of compiled graphs, and PyTorch. */
type Runtime = 'engine' | 'torch';

/** Rounds in which what versions fuse and what the host takes are fitted in turn; a sixth would change nothing. */
const ROUNDS = 5;

/**
 * Parameters of every version. Those of TensorRT-LLM are fitted on its static batches; later versions
 * keep them, and one row of each sets a parameter of it. vLLM's are fitted on its closed loops, and the
 * launch of PyTorch's kernels with them.
 */
export function fitVersions(options: VersionFitOptions): Record<string, VersionParameters> {
  const vllm = fitVllm(options);
  const engine = fitStatic(options);
  const { launchMicros } = Object.values(vllm)[0]!;
  let bases: Record<Runtime, VersionParameters> = { engine, torch: { ...engine, launchMicros } };
  let versions: Record<string, VersionParameters> = {};
  for (let round = 0; round < ROUNDS; round++) {
    versions = fitTensorRt(bases, options);
    bases = {
      engine: withHost(bases.engine, versions['trtllm-0.15.0']!),
      torch: withHost(bases.torch, versions['trtllm-1.0']!),
    };
  }
  return { ...versions, ...vllm };
}

function withHost(
  base: VersionParameters,
  { hostMicrosPerSequence }: VersionParameters,
): VersionParameters {
  return { ...base, hostMicrosPerSequence };
}

function fitTensorRt(
  bases: Readonly<Record<Runtime, VersionParameters>>,
  options: VersionFitOptions,
): Record<string, VersionParameters> {
  const versions: Record<string, VersionParameters> = {};
  let before: VersionParameters | undefined;
  for (const { name, mechanics } of SOFTWARE_VERSIONS) {
    if (!name.startsWith('trtllm')) continue;
    const base = { ...bases[mechanics.hostOverlaps ? 'torch' : 'engine'], ...mechanics };
    before = fitVersion(name, { base, before: before ?? base, options });
    versions[name] = before;
  }
  return versions;
}

/** A version with neither a fitted row nor an anchor fuses what the version before it does. */
function fitVersion(
  version: string,
  from: {
    readonly base: VersionParameters;
    readonly before: VersionParameters;
    readonly options: VersionFitOptions;
  },
): VersionParameters {
  const { base, before, options } = from;
  if (options.rows.some((row) => row.version === version && isFitted(row))) {
    return { ...base, hostMicrosPerSequence: 0 };
  }
  const { elementwiseFactor } = before;
  const kept = {
    ...base,
    elementwiseFactor,
    basis: 'as the version before; nothing is fitted on this version',
  };
  const anchor = anchorOf(version, options.rows);
  return anchor === undefined ? kept : anchorOn(anchor, kept, options);
}

function fitStatic(options: VersionFitOptions): VersionParameters {
  const rows = options.rows.filter((row) => isFitted(row) && row.table === 'trtllm-static');
  const build = ([elementwiseFactor, launchMicros, gapMicros]: readonly number[]) => ({
    elementwiseFactor: elementwiseFactor!,
    launchMicros: launchMicros!,
    gapMicros: gapMicros!,
    hostMicros: HOST_MICROS,
    hostMicrosPerSequence: 0,
    ...findSoftwareVersion(rows[0]!.version).mechanics,
    collectiveOverlap: 0,
    operatorOverlap: 0,
    basis: `fitted on ${rows.length} static batches of 0.8 and 0.9`,
  });
  const values = minimize(
    (candidate) => meanRowError(rows, build(candidate), options),
    [
      { start: 1, low: 0.5, high: 5 },
      { start: 0, low: 0, high: 300 },
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
    launchMicros,
    gapMicros,
    overlap,
  ]: readonly number[]) => ({
    ...findSoftwareVersion(rows[0]!.version).mechanics,
    quantisationShare: quantisationShare!,
    elementwiseFactor: elementwiseFactor!,
    launchMicros: launchMicros!,
    gapMicros: gapMicros!,
    hostMicros: HOST_MICROS,
    hostMicrosPerSequence: 0,
    collectiveOverlap: overlap!,
    operatorOverlap: 0,
    basis: `fitted on ${rows.length} figures of closed loops`,
  });
  const values = minimize(
    (candidate) => meanRowError(rows, build(candidate), options),
    [
      { start: 0.5, low: 0, high: 1 },
      { start: 1, low: 0.5, high: 5 },
      { start: 100, low: 0, high: 300 },
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

const ANCHORED: Readonly<Record<AnchoredParameter, string>> = {
  elementwiseFactor: 'elementwise factor',
  hostMicrosPerSequence: 'the host’s time a sequence',
};

/** The parameter at which a version's anchor row comes out right, or the nearest bound to it. */
function anchorOn(
  { row, parameter }: Anchor,
  kept: VersionParameters,
  options: VersionFitOptions,
): VersionParameters {
  const build = (value: number): VersionParameters => ({
    ...kept,
    [parameter]: value,
    basis: `static batches of 0.8 and 0.9; ${ANCHORED[parameter]} from the anchor row`,
    anchor: describeRow(row),
  });
  const high = parameter === 'elementwiseFactor' ? 5 : 200;
  const [value] = minimize(
    ([candidate]) => meanRowError([row], build(candidate!), options),
    [{ start: 1, low: 0, high }],
  );
  return roundParameters(build(value!));
}

function meanRowError(
  rows: readonly PublishedRow[],
  version: VersionParameters,
  { kernels, architectureOf }: VersionFitOptions,
): number {
  const predict = (row: PublishedRow): number =>
    predictRow(row, { kernels, version, architecture: architectureOf(row.model) });
  return meanError(rows, predict, ({ value }) => value);
}

function roundParameters(parameters: VersionParameters): VersionParameters {
  const round = (value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  return Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => [key, round(value)]),
  ) as unknown as VersionParameters;
}
