import { CALIBRATION } from './calibration.ts';
import type { GemmParameters, KernelParameters, VersionParameters } from './calibration-model.ts';
import { CLAIMED_SOFTWARE, IDEAL_SOFTWARE, type SoftwareVersion } from './software-version.ts';

const IDEAL_VERSION: VersionParameters = {
  quantisationShare: 0,
  elementwiseFactor: 0,
  launchMicros: 0,
  gapMicros: 0,
  hostMicros: 0,
  hostMicrosPerSequence: 0,
  hostOverlaps: true,
  allReduceChoice: 'fastest',
  narrowAttention: true,
  graphBatchSizes: [],
  collectiveOverlap: 1,
  operatorOverlap: 1,
  basis:
    'ideal (assumed): no launches, fused passes; compute, memory and collectives at the same time',
};

const CLAIMED_VERSION: VersionParameters = {
  ...IDEAL_VERSION,
  basis: 'as claimed (assumed): arithmetic alone; memory and links never keep anybody waiting',
};

/** How a version's steps are priced: as calibrated, or without anything but the operators. */
export function softwareParametersOf({ name }: SoftwareVersion): {
  readonly kernels: KernelParameters;
  readonly version: VersionParameters;
} {
  if (name === IDEAL_SOFTWARE) {
    return { kernels: withoutOverheads(CALIBRATION.kernels), version: IDEAL_VERSION };
  }
  if (name === CLAIMED_SOFTWARE) {
    const kernels = withoutWaiting(withoutOverheads(CALIBRATION.kernels));
    return { kernels, version: CLAIMED_VERSION };
  }
  return { kernels: CALIBRATION.kernels, version: CALIBRATION.versions[name]! };
}

/** Memory and links of any rate bring everything at once. */
function withoutWaiting(kernels: KernelParameters): KernelParameters {
  const free = { latencyMicros: 0, efficiency: Number.POSITIVE_INFINITY };
  const ways = { oneShot: free, twoShot: free, pipelined: free };
  return {
    ...kernels,
    memoryEfficiency: Number.POSITIVE_INFINITY,
    generationAttention: {
      ...kernels.generationAttention,
      memoryEfficiency: Number.POSITIVE_INFINITY,
    },
    allReduce: { 2: ways, 4: ways, 8: ways },
  };
}

/** The same efficiencies at full clock, with every launch free and every pass overlapped. */
function withoutOverheads(kernels: KernelParameters): KernelParameters {
  const free = (gemm: GemmParameters): GemmParameters => ({
    ...gemm,
    overheadMicros: 0,
    epilogueShare: 0,
    quantisationPasses: 0,
  });
  return {
    ...kernels,
    power: undefined,
    passOverheadMicros: 0,
    groupedGemm: { ...kernels.groupedGemm, overheadMicros: 0 },
    gemm: { narrow: free(kernels.gemm.narrow), wide: free(kernels.gemm.wide) },
    contextAttention: { ...kernels.contextAttention, overheadMicros: 0, passes: 1 },
    generationAttention: {
      ...kernels.generationAttention,
      overheadMicros: 0,
      startFlops: { narrow: 0, wide: 0 },
      tokenFlops: { narrow: 0, wide: 0 },
    },
  };
}
