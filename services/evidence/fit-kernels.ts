import { H100 } from '../core/hardware/chips/h100.ts';
import { valueAt } from '../core/hardware/figure.ts';
import type { GemmParameters, KernelParameters } from '../core/timing/calibration-model.ts';
import type { MeasuredAttention, MeasuredGemm, MeasuredOperators } from './measured-operators.ts';
import { minimize, type Parameter } from './minimize.ts';
import { makeOperatorTimer, meanError, type OperatorTimer } from './operator-timer.ts';

/** How well a kind of operator is reproduced. */
export interface FitReport {
  readonly operator: string;
  readonly rows: number;
  /** Mean of |ln(predicted / measured)|. */
  readonly meanError: number;
}

/** Rows of a product that keeps a chip busy for long. */
const SUSTAINED_ROWS = 8192;

/** Rough figures of any accelerator, from which the fit starts. */
const START: KernelParameters = {
  measuredBytesPerFlop:
    valueAt(H100.memoryBytesPerSecond, 'middle') / valueAt(H100.peakFlops.bf16!, 'middle'),
  memoryEfficiency: 0.85,
  gemm: {
    narrow: {
      overheadMicros: 10,
      computeEfficiency: 0.7,
      epilogueShare: 0.5,
      quantisationPasses: 2,
    },
    wide: { overheadMicros: 4, computeEfficiency: 0.7, epilogueShare: 0.5, quantisationPasses: 0 },
  },
  contextAttention: {
    overheadMicros: 10,
    computeEfficiency: 0.5,
    narrowComputeEfficiency: 0.4,
    passes: 2,
  },
  generationAttention: { overheadMicros: 6 },
  allReduce: {
    oneShot: { latencyMicros: 4, efficiency: 0.6 },
    twoShot: { latencyMicros: 10, efficiency: 0.5 },
    pipelined: { latencyMicros: 50, efficiency: 0.7 },
  },
};

/**
 * Fits the kernels' parameters on measured operators of one chip, one kind after the other; the
 * memory's efficiency comes with the products of one-byte weights, which stream the most.
 */
export function fitKernels(measured: MeasuredOperators): {
  readonly kernels: KernelParameters;
  readonly report: readonly FitReport[];
} {
  let kernels = fitNarrowGemm(START, measured);
  kernels = fitWideGemm(kernels, measured);
  kernels = sustain(kernels, measured);
  kernels = fitContextAttention(kernels, measured);
  kernels = fitNarrowAttention(kernels, measured);
  kernels = fitGenerationAttention(kernels, measured);
  kernels = fitAllReduce(kernels, measured);
  return { kernels: roundAll(kernels), report: reportOn(kernels, measured) };
}

type Fit = (kernels: KernelParameters, measured: MeasuredOperators) => KernelParameters;

const fitNarrowGemm: Fit = (start, { gemms }) => {
  const rows = gemms.filter(({ format }) => format === 'fp8');
  return fit(
    [between(0, 20), between(0.4, 0.95), between(0, 2), between(0, 6), between(0.6, 0.95)],
    ([overheadMicros, computeEfficiency, epilogueShare, quantisationPasses, memoryEfficiency]) => ({
      ...start,
      memoryEfficiency: memoryEfficiency!,
      gemm: {
        ...start.gemm,
        narrow: {
          overheadMicros: overheadMicros!,
          computeEfficiency: computeEfficiency!,
          epilogueShare: epilogueShare!,
          quantisationPasses: quantisationPasses!,
        },
      },
    }),
    (timer) => meanError(rows, (row) => timer.gemm(row)),
  );
};

const fitWideGemm: Fit = (start, { gemms }) => {
  const rows = gemms.filter(({ format }) => format === 'bf16');
  return fit(
    [between(0, 20), between(0.4, 0.95), between(0, 2)],
    ([overheadMicros, computeEfficiency, epilogueShare]) => ({
      ...start,
      gemm: {
        ...start.gemm,
        wide: {
          overheadMicros: overheadMicros!,
          computeEfficiency: computeEfficiency!,
          epilogueShare: epilogueShare!,
          quantisationPasses: 0,
        },
      },
    }),
    (timer) => meanError(rows, (row) => timer.gemm(row)),
  );
};

/**
 * What products of long steps sustain: under the power limit the clock falls below that of short ones,
 * which decide the fit by their number.
 */
const sustain: Fit = (kernels, { gemms }) => {
  const long = gemms.filter(({ rows }) => rows >= SUSTAINED_ROWS);
  const of = (format: 'narrow' | 'wide', name: MeasuredGemm['format']): GemmParameters =>
    fit(
      [between(0.4, 0.95)],
      ([computeEfficiency]) => withGemm(kernels, format, computeEfficiency!),
      (timer) =>
        meanError(
          long.filter((row) => row.format === name),
          (row) => timer.gemm(row),
        ),
    ).gemm[format];
  return { ...kernels, gemm: { narrow: of('narrow', 'fp8'), wide: of('wide', 'bf16') } };
};

function withGemm(
  kernels: KernelParameters,
  format: 'narrow' | 'wide',
  computeEfficiency: number,
): KernelParameters {
  const gemm = { ...kernels.gemm, [format]: { ...kernels.gemm[format], computeEfficiency } };
  return { ...kernels, gemm };
}

const fitContextAttention: Fit = (start, { attention }) => {
  const rows = attention.filter(({ kind, narrow }) => kind === 'context' && !narrow);
  return fit(
    [between(0, 30), between(0.1, 0.95), between(0, 6)],
    ([overheadMicros, computeEfficiency, passes]) => ({
      ...start,
      contextAttention: {
        ...start.contextAttention,
        overheadMicros: overheadMicros!,
        computeEfficiency: computeEfficiency!,
        passes: passes!,
      },
    }),
    (timer) => meanError(rows, (row) => timer.attention(row)),
  );
};

/** The same kernel in fp8: what it launches and passes over stays. */
const fitNarrowAttention: Fit = (start, { attention }) => {
  const rows = attention.filter(({ kind, narrow }) => kind === 'context' && narrow);
  return fit(
    [between(0.1, 0.95)],
    ([narrowComputeEfficiency]) => ({
      ...start,
      contextAttention: {
        ...start.contextAttention,
        narrowComputeEfficiency: narrowComputeEfficiency!,
      },
    }),
    (timer) => meanError(rows, (row) => timer.attention(row)),
  );
};

/**
 * Large batches of this table outrun the memory (the benchmark's blocks lie in the cache), so only the
 * launch is fitted, where little is streamed.
 */
const fitGenerationAttention: Fit = (start, { attention }) => {
  const rows = attention.filter(isSmallGeneration);
  return fit(
    [between(0, 30)],
    ([overheadMicros]) => ({ ...start, generationAttention: { overheadMicros: overheadMicros! } }),
    (timer) => meanError(rows, (row) => timer.attention(row)),
  );
};

/** Contexts of at least a tile, and less than 32 MB of keys and values: 8 heads of 128, over the chips. */
const isSmallGeneration = ({ kind, batch, tokens, kvBytes, tp }: MeasuredAttention): boolean =>
  kind === 'generation' && tokens >= 128 && (batch * tokens * 2 * 8 * 128 * kvBytes) / tp < 32e6;

const fitAllReduce: Fit = (start, { allReduces }) => {
  const latency = (high: number): Parameter => between(0, high);
  const efficiency = between(0.2, 0.95);
  return fit(
    [latency(10), efficiency, latency(30), efficiency, latency(150), efficiency],
    ([a, b, c, d, e, f]) => ({
      ...start,
      allReduce: {
        oneShot: { latencyMicros: a!, efficiency: b! },
        twoShot: { latencyMicros: c!, efficiency: d! },
        pipelined: { latencyMicros: e!, efficiency: f! },
      },
    }),
    (timer) => meanError(allReduces, (row) => timer.allReduce(row)),
  );
};

function fit(
  parameters: readonly Parameter[],
  build: (values: readonly number[]) => KernelParameters,
  error: (timer: OperatorTimer) => number,
): KernelParameters {
  return build(minimize((values) => error(makeOperatorTimer(build(values))), parameters));
}

function between(low: number, high: number): Parameter {
  return { low, high, start: (low + high) / 2 };
}

function reportOn(kernels: KernelParameters, measured: MeasuredOperators): readonly FitReport[] {
  const timer = makeOperatorTimer(kernels);
  const { gemms, attention, allReduces } = measured;
  const line = <T extends { readonly seconds: number }>(
    operator: string,
    rows: readonly T[],
    predict: (row: T) => number,
  ): FitReport => ({ operator, rows: rows.length, meanError: meanError(rows, predict) });
  return [
    ...(['fp8', 'bf16'] as const).map((format) =>
      line(
        `gemm ${format}`,
        gemms.filter((row) => row.format === format),
        timer.gemm,
      ),
    ),
    ...[false, true].map((narrow) =>
      line(
        `context attention ${narrow ? 'fp8' : 'bf16'}`,
        attention.filter((row) => row.kind === 'context' && row.narrow === narrow),
        timer.attention,
      ),
    ),
    line('generation attention', attention.filter(isSmallGeneration), timer.attention),
    line('all-reduce', allReduces, timer.allReduce),
  ];
}

/** Four digits are more than the data know, and keep the committed file stable. */
function roundAll<T>(value: T): T {
  if (typeof value === 'number') return Number(value.toPrecision(4)) as T;
  const entries = Object.entries(value as object).map(([key, inner]) => [key, roundAll(inner)]);
  return Object.fromEntries(entries) as T;
}
