import { H100 } from '../../core/hardware/chips/h100.ts';
import { valueAt } from '../../core/hardware/figure.ts';
import type { AllReduceWays, KernelParameters } from '../../core/timing/calibration-model.ts';
import { meanTimeError } from '../mean-error.ts';
import { makeOperatorTimer } from '../operator-timer.ts';
import { fitAllReduce } from './fit-all-reduce.ts';
import {
  fitContextAttention,
  fitGenerationAttention,
  fitNarrowAttention,
  isSmallGeneration,
} from './fit-attention.ts';
import { fitPasses } from './fit-passes.ts';
import { fitPower } from './fit-power.ts';
import { fitGrouped, fitProducts, fitQuantisation } from './fit-products.ts';
import { type KernelFit, type KernelMeasurements, MOST_BURST_ROWS } from './kernel-fit.ts';

/** How well a kind of operator is reproduced. */
export interface FitReport {
  readonly operator: string;
  readonly rows: number;
  /** Mean of |ln(predicted / measured)|. */
  readonly meanError: number;
}

const START_WAYS: AllReduceWays = {
  oneShot: { latencyMicros: 4, efficiency: 0.6 },
  twoShot: { latencyMicros: 10, efficiency: 0.5 },
  pipelined: { latencyMicros: 50, efficiency: 0.7 },
};

/** Rough figures of any accelerator, from which the fit starts. */
const START: KernelParameters = {
  measuredBytesPerFlop:
    valueAt(H100.memoryBytesPerSecond, 'middle') / valueAt(H100.peakFlops.bf16!, 'middle'),
  memoryEfficiency: 0.85,
  passOverheadMicros: 2,
  power: undefined,
  gemm: {
    narrow: {
      overheadMicros: 10,
      computeEfficiency: 0.7,
      epilogueShare: 0.5,
      quantisationPasses: 2,
    },
    wide: { overheadMicros: 4, computeEfficiency: 0.7, epilogueShare: 0.5, quantisationPasses: 0 },
  },
  groupedGemm: { overheadMicros: 4, computeEfficiency: { narrow: 0.7, wide: 0.7 } },
  contextAttention: {
    overheadMicros: 10,
    computeEfficiency: 0.5,
    narrowComputeEfficiency: 0.4,
    passes: 2,
  },
  generationAttention: {
    overheadMicros: 6,
    memoryEfficiency: 0.85,
    startFlops: { narrow: 0, wide: 0 },
    tokenFlops: { narrow: 0, wide: 0 },
  },
  allReduce: { 2: START_WAYS, 4: START_WAYS, 8: START_WAYS },
};

/** In this order: the later ones rest on the earlier. */
const FITS: readonly KernelFit[] = [
  fitProducts,
  fitPasses,
  fitGrouped,
  fitQuantisation,
  fitContextAttention,
  fitNarrowAttention,
  fitGenerationAttention,
  fitAllReduce,
];

/** Fits the kernels' parameters on measurements of one chip, and of its power, one kind after the other. */
export function fitKernels(measured: KernelMeasurements): {
  readonly kernels: KernelParameters;
  readonly report: readonly FitReport[];
} {
  const { power, ...quality } = fitPower(measured.power);
  const start: KernelParameters = { ...START, power };
  const fitted = FITS.reduce((kernels, fit) => fit(kernels, measured), start);
  return {
    kernels: roundAll(fitted),
    report: [{ operator: 'power', ...quality }, ...reportOn(fitted, measured)],
  };
}

function reportOn(kernels: KernelParameters, measured: KernelMeasurements): readonly FitReport[] {
  const timer = makeOperatorTimer(kernels, 1);
  const ready = makeOperatorTimer(kernels, 0);
  const { products, grouped, gemms, attention, allReduces } = measured;
  const line = <T extends { readonly seconds: number }>(
    operator: string,
    rows: readonly T[],
    predict: (row: T) => number,
  ): FitReport => ({ operator, rows: rows.length, meanError: meanTimeError(rows, predict) });
  return [
    ...(['fp8', 'bf16'] as const).map((format) =>
      line(
        `gemm ${format}, quantised`,
        gemms.filter((row) => row.format === format),
        timer.gemm,
      ),
    ),
    ...(['fp8', 'bf16'] as const).map((format) =>
      line(
        `gemm ${format}`,
        products.filter((row) => row.format === format && row.rows <= MOST_BURST_ROWS),
        ready.gemm,
      ),
    ),
    line('grouped gemm', grouped, ready.grouped),
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
