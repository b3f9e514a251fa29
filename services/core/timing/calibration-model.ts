/** Parameters of matrix products whose weights have one format, fitted on measured operators. */
export interface GemmParameters {
  /** Launch and drain of one product. */
  readonly overheadMicros: number;
  /** Of the dense peak at full clock, at any shape that fills the chip. */
  readonly computeEfficiency: number;
  /** Times that writing the output costs beside the product, 1 being not overlapped at all. */
  readonly epilogueShare: number;
  /** Passes over the input (of 3 bytes an element: bf16 read, fp8 written) to quantise it. */
  readonly quantisationPasses: number;
}

/** One way to add partial sums. */
export interface AllReduceParameters {
  readonly latencyMicros: number;
  /** Of the link's rate. */
  readonly efficiency: number;
}

/** The ways to add partial sums over a group of chips. */
export interface AllReduceWays {
  /** Every chip reads all partial sums of all others. */
  readonly oneShot: AllReduceParameters;
  /** Every chip reduces its part, then reads the others'. */
  readonly twoShot: AllReduceParameters;
  /** Pipelined, and added in the switch where it can: best bandwidth, worst latency. */
  readonly pipelined: AllReduceParameters;
}

/** Chips of a group whose all-reduces were measured. */
export const MEASURED_GROUPS = [2, 4, 8] as const;
export type MeasuredGroup = (typeof MEASURED_GROUPS)[number];

/** Those of the smallest measured group that is as large, or of the largest. */
export function allReduceWaysOf({ allReduce }: KernelParameters, chips: number): AllReduceWays {
  return allReduce[MEASURED_GROUPS.find((group) => group >= chips) ?? 8];
}

/** What a chip draws, fitted on measured power; see `makePowerLimit`. */
export interface PowerParameters {
  /** Share of the limit that is drawn whatever the work. */
  readonly idleShare: number;
  /** What arithmetic at the dense peak would add at full clock, over the limit. */
  readonly peakShare: number;
  /** Of a byte that comes from memory or goes there. */
  readonly joulesPerByte: number;
}

/** Parameters of kernels on the chip that was measured. */
export interface KernelParameters {
  /** Memory rate over dense bf16 peak of the chip that was measured, by its data sheet. */
  readonly measuredBytesPerFlop: number;
  /** Share of the memory's peak that streaming reaches. */
  readonly memoryEfficiency: number;
  /** Launch and drain of a kernel that passes over rows: a norm, an activation. */
  readonly passOverheadMicros: number;
  /** Undefined where nothing slows a chip down. */
  readonly power: PowerParameters | undefined;
  readonly gemm: { readonly narrow: GemmParameters; readonly wide: GemmParameters };
  /** What products of many matrices at once, those of experts, have of their own. */
  readonly groupedGemm: {
    readonly overheadMicros: number;
    /** Of the dense peak at full clock. */
    readonly computeEfficiency: { readonly narrow: number; readonly wide: number };
  };
  readonly contextAttention: {
    readonly overheadMicros: number;
    /** Of the bf16 peak. */
    readonly computeEfficiency: number;
    /** Of the fp8 peak, where queries, keys and values are fp8. */
    readonly narrowComputeEfficiency: number;
    /** Passes over queries, keys, values and outputs. */
    readonly passes: number;
  };
  readonly generationAttention: {
    readonly overheadMicros: number;
    /** Of the memory's peak, that reading keys and values reaches. */
    readonly memoryEfficiency: number;
    /**
     * What starting on a sequence costs for each KV head, in FLOPs at the dense bf16 peak: tiles are
     * set up and filled whatever the context.
     */
    readonly startFlops: { readonly narrow: number; readonly wide: number };
    /**
     * What a cached token costs for each KV head, in the same: tiles are far larger than the queries that
     * share a head, and narrow keys are widened first.
     */
    readonly tokenFlops: { readonly narrow: number; readonly wide: number };
  };
  /** By the chips of the groups that were measured; see `allReduceWaysOf`. */
  readonly allReduce: Readonly<Record<MeasuredGroup, AllReduceWays>>;
}

/**
 * Which all-reduce an engine takes: the fastest, or by fixed sizes of the payload, with two shots or
 * without (TensorRT-LLM's `selectImplementation`, and its later work-around that leaves two shots out).
 */
export type AllReduceChoice = 'fastest' | 'by_size' | 'by_size_without_two_shot';

/** Parameters of one version of the serving software. */
export interface VersionParameters {
  /** Share of the measured cost of quantising activations that this engine still pays. */
  readonly quantisationShare: number;
  /**
   * Time of norms, residuals and activations over that of streaming their rows once, on the chip that
   * was measured.
   */
  readonly elementwiseFactor: number;
  /**
   * Of the host for the kernels of a layer, which it launches ahead of the chip: a step takes at least
   * that of all its layers, where no recorded graph launches them at once.
   */
  readonly launchMicros: number;
  /**
   * Of several chips for each layer that they share, beyond what its kernels take on their own: they do not
   * come to its all-reduces at the same time. A recorded graph leaves a part of it.
   */
  readonly gapMicros: number;
  /** Of the host for a step: scheduling, and taking in what was sampled. */
  readonly hostMicros: number;
  /** The same for each sequence of the step. */
  readonly hostMicrosPerSequence: number;
  /** Whether the host prepares the next step while the chip works on this one. */
  readonly hostOverlaps: boolean;
  readonly allReduceChoice: AllReduceChoice;
  /** Whether prompts' attention multiplies in fp8 where weights are narrow and the KV cache is fp8. */
  readonly narrowAttention: boolean;
  /** Sizes that a step of decoding alone is padded to, ascending; empty where it is not. */
  readonly graphBatchSizes: readonly number[];
  /** Share of the all-reduce time that is hidden behind compute. */
  readonly collectiveOverlap: number;
  /** How far compute and memory of all operators run beside each other, from 0 (GPUs) to 1. */
  readonly operatorOverlap: number;
  /** What the parameters rest on, for reports. */
  readonly basis: string;
  /** The published row that set the elementwise factor, where one did. */
  readonly anchor?: string;
}

/** What `npm run calibrate` writes. */
export interface Calibration {
  readonly kernels: KernelParameters;
  /** By the name of the version or family. */
  readonly versions: Readonly<Record<string, VersionParameters>>;
}
