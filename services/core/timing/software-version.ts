import type { CapacitySchedulerPolicy } from '../scheduler/options.ts';
import { findNamed } from '../support/nearest.ts';
import type { VersionParameters } from './calibration-model.ts';

/** Serving software whose steps are priced, with the limits that it runs with. */
export interface SoftwareVersion {
  readonly name: string;
  /** Tokens of a step, and sequences, where a run does not say otherwise. */
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
  /** Share of the memory that the engine uses at all. */
  readonly memoryFraction: number;
  /** Share of what weights and activations leave of it that the KV cache takes. */
  readonly kvFraction: number;
  readonly kvReservation: 'whole' | 'growing';
  /** Whether its benchmark works the limits of a step out for each run; see `limitsOf`. */
  readonly tunesLimits: boolean;
  /** What its code does, by its source. */
  readonly mechanics: VersionMechanics;
  readonly source: string;
}

/** The parameters of a version that are read in its code and not fitted. */
export type VersionMechanics = Pick<
  VersionParameters,
  'allReduceChoice' | 'quantisationShare' | 'hostOverlaps' | 'narrowAttention' | 'graphBatchSizes'
>;

const OVERVIEW = 'TensorRT-LLM performance overview';

/** Engines of TensorRT up to 0.11: all-reduces by size, attention in bf16. */
const ENGINE: VersionMechanics = {
  allReduceChoice: 'by_size',
  quantisationShare: 0,
  hostOverlaps: false,
  narrowAttention: false,
  graphBatchSizes: [],
};
/** Those that `trtllm-bench` builds: fp8 attention with fp8 weights, and two shots left out. */
const BENCH_ENGINE: VersionMechanics = {
  allReduceChoice: 'by_size_without_two_shot',
  quantisationShare: 0,
  hostOverlaps: false,
  narrowAttention: true,
  graphBatchSizes: [],
};
/** Chosen by tables of measurements, as the operators were measured that kernels are fitted on. */
const TORCH: VersionMechanics = {
  ...BENCH_ENGINE,
  allReduceChoice: 'fastest',
  quantisationShare: 0.25,
  hostOverlaps: true,
};
/** The sizes that the overviews from 0.20 on print. */
const TORCH_GRAPHS: VersionMechanics = {
  ...TORCH,
  graphBatchSizes: [1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512, 1024, 2048, 4096, 8192],
};

/** Where a run says nothing: the sample log of the overview of 0.12 shows 8,192 and 4,096. */
const TUNED = {
  maxNumBatchedTokens: 8192,
  maxNumSeqs: 4096,
  memoryFraction: 1,
  kvFraction: 0.99,
  kvReservation: 'whole',
  tunesLimits: false,
  mechanics: ENGINE,
} as const;
/** Static batches: the whole batch is one step. */
const STATIC = { ...TUNED, kvFraction: 0.9, source: `${OVERVIEW}, static batches` } as const;
const BENCHED = {
  ...TUNED,
  tunesLimits: true,
  mechanics: BENCH_ENGINE,
  source: `${OVERVIEW}, trtllm-bench`,
} as const;
const PYTORCH = {
  ...BENCHED,
  kvFraction: 0.95,
  mechanics: TORCH,
  source: `${OVERVIEW}, PyTorch backend`,
} as const;
const GRAPHED = { ...PYTORCH, mechanics: TORCH_GRAPHS } as const;

/** Software that costs nothing and hides all it can: an upper bound, for chips as claimed. */
export const IDEAL_SOFTWARE = 'ideal';
/** The same with memory and links that never keep anybody waiting: what a throughput claim takes for granted. */
export const CLAIMED_SOFTWARE = 'as-claimed';

/** Every version that is known, oldest first. */
export const SOFTWARE_VERSIONS: readonly SoftwareVersion[] = [
  { name: 'trtllm-0.8.0', ...STATIC },
  { name: 'trtllm-0.9.0', ...STATIC },
  {
    name: 'trtllm-0.10.0',
    maxNumBatchedTokens: 2048,
    maxNumSeqs: 2048,
    memoryFraction: 1,
    kvFraction: 0.9,
    kvReservation: 'growing',
    tunesLimits: false,
    mechanics: ENGINE,
    source: `${OVERVIEW} of 0.10: gptManagerBenchmark, max_utilization, chunked context`,
  },
  { name: 'trtllm-0.11.0', ...TUNED, source: `${OVERVIEW} of 0.11, guaranteed_no_evict` },
  { name: 'trtllm-0.12.0', ...BENCHED },
  { name: 'trtllm-0.13.0', ...BENCHED },
  { name: 'trtllm-0.14.0', ...BENCHED },
  { name: 'trtllm-0.15.0', ...BENCHED, kvFraction: 0.95 },
  { name: 'trtllm-0.19', ...PYTORCH },
  { name: 'trtllm-0.20-nocudagraph', ...PYTORCH },
  { name: 'trtllm-0.20', ...GRAPHED },
  { name: 'trtllm-0.21', ...GRAPHED },
  { name: 'trtllm-1.0', ...GRAPHED },
  {
    name: 'vllm-0.11',
    maxNumBatchedTokens: 8192,
    maxNumSeqs: 1024,
    memoryFraction: 0.9,
    kvFraction: 1,
    kvReservation: 'growing',
    tunesLimits: false,
    mechanics: { ...TORCH, hostOverlaps: false, narrowAttention: false },
    source: 'vLLM V1 defaults of the OpenAI server on H100: 8,192 tokens, 1,024 sequences',
  },
  {
    name: IDEAL_SOFTWARE,
    ...TUNED,
    source: 'assumed: the operators alone, at the rates of the data sheet',
  },
  {
    name: CLAIMED_SOFTWARE,
    ...TUNED,
    source: 'assumed: the arithmetic alone, as a vendor claim takes it',
  },
];

/** Newest measured version: what GPUs run where nothing else is said. */
const LATEST_SOFTWARE = 'trtllm-1.0';

/** The version that holds where nothing else is said; a chip that is only claimed gets ideal software. */
export function defaultSoftware(isByConstruction: boolean): SoftwareVersion {
  return findSoftwareVersion(isByConstruction ? IDEAL_SOFTWARE : LATEST_SOFTWARE);
}

/** How a group schedules whose software keeps room for whole requests, or lets them grow. */
export function capacityPolicyOf({ kvReservation }: SoftwareVersion): CapacitySchedulerPolicy {
  return kvReservation === 'whole' ? 'guaranteed_no_evict' : 'max_utilization';
}

/** The version of that name; an InvalidArgumentError names the nearest otherwise. */
export function findSoftwareVersion(name: string): SoftwareVersion {
  return findNamed(SOFTWARE_VERSIONS, name, {
    field: 'software',
    namesOf: (version) => [version.name],
  });
}
