/** Parameters of matrix products whose weights have one format, fitted on measured operators. */
export interface GemmParameters {
  /** Launch and drain of one product. */
  readonly overheadMicros: number;
  /** Of the dense peak, at any shape that fills the chip. */
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

/** Parameters of kernels on the chip that was measured. */
export interface KernelParameters {
  /** Memory rate over dense bf16 peak of the chip that was measured, by its data sheet. */
  readonly measuredBytesPerFlop: number;
  /** Share of the memory's peak that streaming reaches. */
  readonly memoryEfficiency: number;
  readonly gemm: { readonly narrow: GemmParameters; readonly wide: GemmParameters };
  readonly contextAttention: {
    readonly overheadMicros: number;
    /** Of the bf16 peak. */
    readonly computeEfficiency: number;
    /** Of the fp8 peak, where queries, keys and values are fp8. */
    readonly narrowComputeEfficiency: number;
    /** Passes over queries, keys, values and outputs. */
    readonly passes: number;
  };
  readonly generationAttention: { readonly overheadMicros: number };
  readonly allReduce: {
    /** Every chip reads all partial sums of all others. */
    readonly oneShot: AllReduceParameters;
    /** Every chip reduces its part, then reads the others'. */
    readonly twoShot: AllReduceParameters;
    /** Pipelined, and added in the switch where it can: best bandwidth, worst latency. */
    readonly pipelined: AllReduceParameters;
  };
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
   * For each layer that is launched kernel by kernel, where that is not hidden: by `eagerLaunch` always,
   * else where several chips share a layer, and come to its all-reduces one after the other.
   */
  readonly layerOverheadMicros: number;
  /** Scheduling, sampling and launch of a step. */
  readonly stepOverheadMicros: number;
  readonly allReduceChoice: AllReduceChoice;
  /** Whether the host launches each kernel on its own, as PyTorch does, and not a compiled engine. */
  readonly eagerLaunch: boolean;
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
