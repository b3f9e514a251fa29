import type { KvCacheDtype, Precision } from '../core/model/precision.ts';
import type { Candidate, LeafCandidates, Mass } from '../core/sampling/candidates.ts';
import type { ShardLogprobs } from '../core/sampling/logprobs.ts';
import type { SamplingParams } from '../core/sampling/params.ts';
import type { PhantomTokens } from '../core/sampling/phantom-tokens.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { StepTimes } from './step-times.ts';

/** What a group serves and how; every chip of the group gets the same. */
export interface GroupSpec {
  /** Path of the model, the same for every chip. */
  readonly model: string;
  readonly precision: Precision;
  readonly kvCacheDtype: KvCacheDtype;
  readonly tensorParallel: number;
  readonly blockSize: number;
  readonly numGpuBlocksOverride: number | undefined;
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
  /** Present where the chips hold no weights, and nothing is computed. */
  readonly phantom?: PhantomSpec | undefined;
}

/** What chips without weights stand for. */
export interface PhantomSpec {
  /** Name of the modelled chip. */
  readonly chip: string;
  /** Name of the software version whose limits and overheads hold. */
  readonly software: string;
  readonly tokens: PhantomTokens;
}

// Coordinator to chips.

/**
 * Makes chips members of the group's epoch: each loads its shard where it has none or another one,
 * and forgets all sequences.
 */
export interface Join {
  readonly kind: 'join';
  readonly epoch: number;
  readonly spec: GroupSpec;
  /** The seat of the chip that takes each rank; a chip in another seat is none of the group. */
  readonly seats: readonly number[];
}

/** Says that the coordinator lives, and in which epoch its group is. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly epoch: number;
}

/** What the chips must know of a sequence that joins, or joins again after a preemption. */
export interface SequenceAdmission {
  readonly sampling: SamplingParams;
  /** Which of its request's parallel samples it is. */
  readonly choice: number;
  /** Tokens of the prompt; those after it are generated. */
  readonly promptLength: number;
  /** Generated tokens before which none of `stopTokenIds` is drawn. */
  readonly minTokens: number;
  /** Empty where `minTokens` is 0: then the chips need not know them. */
  readonly stopTokenIds: readonly number[];
  /** The tokens before `start`, which the penalties count; empty where nothing is penalised. */
  readonly history: readonly number[];
}

/** Tokens of a prompt whose log-probabilities are wanted, each from the row before it. */
export interface PromptTargets {
  /** Absolute position of the first. */
  readonly start: number;
  /** At least one. */
  readonly tokens: readonly number[];
}

/** One sequence's part of a step. */
export interface StepSequence {
  readonly id: number;
  /** Tokens to compute, beginning at absolute position `start`. */
  readonly count: number;
  /** Their ids; empty where the chips compute nothing of them. */
  readonly tokens: readonly number[];
  readonly start: number;
  readonly sample: boolean;
  /** The tokens that may be drawn; undefined where all may. */
  readonly mask: TokenMask | undefined;
  /** What its rows say of the prompt; undefined where they are not asked. */
  readonly targets: PromptTargets | undefined;
  /** KV blocks that its table gains at the end; with an admission the whole table. */
  readonly blocks: readonly number[];
  readonly admission: SequenceAdmission | undefined;
}

/** Multicast: what every chip of the group computes next. */
export interface StepCommand {
  readonly kind: 'step';
  readonly epoch: number;
  readonly step: number;
  readonly sequences: readonly StepSequence[];
  /** Sequences to forget before the step. */
  readonly released: readonly number[];
  /** Whether the chips' reports are to have the times of the step. */
  readonly traced: boolean;
}

/** Asks for whole rows of logits, each in a report of its own, where candidates did not prove a nucleus. */
export interface LogitsRequest {
  readonly kind: 'logits';
  readonly epoch: number;
  readonly step: number;
  /** Indices among the step's sampled rows. */
  readonly samples: readonly number[];
}

export type Command = Join | Heartbeat | StepCommand | LogitsRequest;

// Chips to coordinator.

/**
 * A chip offers itself; repeated while it belongs to no group, or its coordinator is not heard.
 */
export interface Hello {
  readonly kind: 'hello';
  /** Where the chip is: the same for all processes that take its place. */
  readonly seat: number;
  readonly pid: number;
  /** The last epoch that it joined; 0 is none. */
  readonly epoch: number;
  readonly metricsAddress: string;
}

export interface LoadProgress {
  readonly kind: 'progress';
  readonly rank: number;
  readonly loaded: number;
  readonly total: number;
}

/** The chip holds its shard and takes steps of this epoch. */
export interface Ready {
  readonly kind: 'ready';
  readonly rank: number;
  readonly epoch: number;
  readonly kvBlocks: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly kvBytesPerBlock: number;
}

/** The chip cannot serve the model. */
export interface Refused {
  readonly kind: 'refused';
  readonly rank: number;
  readonly message: string;
}

/** A shard's word on the draw of one sampled row: its winner, or what a nucleus needs. */
export type ShardDraw =
  | { readonly kind: 'candidate'; readonly candidate: Candidate | undefined }
  | { readonly kind: 'nucleus'; readonly mass: Mass; readonly leaves: readonly LeafCandidates[] };

/** All that a shard says on one sampled row. */
export interface ShardSample {
  readonly draw: ShardDraw;
  /** Present where the request asks for log-probabilities. */
  readonly logprobs: ShardLogprobs | undefined;
}

/** What a chip did, since it started. */
export interface ChipCounters {
  readonly steps: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly computeMicros: number;
  readonly communicationMicros: number;
  readonly droppedFrames: number;
}

export interface StepReport {
  readonly kind: 'report';
  readonly rank: number;
  readonly epoch: number;
  readonly step: number;
  /** Hash of the final activations: equal on all chips, or the group is broken. */
  readonly digest: number;
  /** One for every sampled row, in the order of the command; none from a phantom. */
  readonly samples: readonly ShardSample[];
  /** One for every target of the command, in its order. */
  readonly prompt: readonly ShardLogprobs[];
  /** Drawn tokens from a phantom: of every sampled row that is its own by `phantomRows`. */
  readonly tokens: readonly number[];
  readonly counters: ChipCounters;
  /** Present where the command asks for them; on the chip's own clock. */
  readonly times: StepTimes | undefined;
}

/** One whole row of one shard's logits, f32 [tokens of the shard]. */
export interface Logits {
  readonly kind: 'shardLogits';
  readonly rank: number;
  readonly epoch: number;
  readonly step: number;
  /** Index among the step's sampled rows. */
  readonly sample: number;
  /** As the draw sees them. */
  readonly logits: Float32Array;
  /**
   * As the model gave them; absent where they are the same, or the request asks for no
   * log-probabilities.
   */
  readonly raw: Float32Array | undefined;
}

export type Report = Hello | LoadProgress | Ready | Refused | StepReport | Logits;
