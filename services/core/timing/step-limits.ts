import type { Architecture } from '../architecture/architecture.ts';
import { countParameters } from '../architecture/parameters.ts';
import type { ChipSpec } from '../hardware/chip.ts';
import type { Layout } from './layout.ts';
import { kvBytesOf, type PricedPrecision, weightBytesOf } from './precision.ts';
import { localKvElements } from './sharding.ts';
import type { SoftwareVersion } from './software-version.ts';

/** What one step may take in. */
export interface StepLimits {
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
}

/** What a run serves, and on what. */
export interface LimitedRun {
  readonly architecture: Architecture;
  readonly chip: Pick<ChipSpec, 'hbmBytes'>;
  readonly layout: Layout;
  readonly precision: PricedPrecision;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const KV_SHARE = 0.95;
const MOST_SEQUENCES = 4096;
const MOST_TOKENS = 32_768;
const FEWEST_SEQUENCES = 64;
const FEWEST_TOKENS = 2048;

/** The limits that a version runs with: its own, or those that its benchmark works out for a run. */
export function limitsOf(software: SoftwareVersion, run: LimitedRun): StepLimits {
  const { maxNumBatchedTokens, maxNumSeqs, tunesLimits } = software;
  return tunesLimits ? tuneLimits(run) : { maxNumBatchedTokens, maxNumSeqs };
}

/**
 * What `trtllm-bench` chooses where it is not told: as many sequences as it thinks fit, and tokens for as
 * many prompts as end in a step (tensorrt_llm/bench/build/tuning.py, `calc_engine_setting` and
 * `finetune_setting`). It counts weights in decimal and memory in binary gigabytes.
 */
function tuneLimits(run: LimitedRun): StepLimits {
  const { layout, inputTokens, outputTokens } = run;
  const fitting = estimateKvTokens(run) / (inputTokens + outputTokens);
  const sequences = Math.max(0, Math.min(fitting, MOST_SEQUENCES) / layout.pp);
  const tokens = Math.min(sequences * (1 + inputTokens / outputTokens), MOST_TOKENS);
  return {
    maxNumSeqs: layout.pp * roundSequences(sequences),
    maxNumBatchedTokens: roundTokens(tokens),
  };
}

/** Of one replica, which holds its part of experts that all share. */
function estimateKvTokens({ architecture, chip, layout, precision }: LimitedRun): number {
  const { tp, pp, ep, dp } = layout;
  const copies = ep > tp ? dp : 1;
  const weights = (countParameters(architecture).total / 1e9) * nominalBytes(precision);
  const free = (tp * pp * chip.hbmBytes) / 2 ** 30 - weights / copies;
  return (free * KV_SHARE * 2 ** 30) / (kvElements(architecture, layout) * kvBytesOf(precision));
}

/** Of all chips that share a model's layers: each has at least one KV head. */
function kvElements(architecture: Architecture, { tp }: Layout): number {
  return architecture.groups.reduce(
    (sum, group) =>
      sum +
      group.layers * localKvElements(group, tp) * (group.attention.kind === 'grouped' ? tp : 1),
    0,
  );
}

/** Scales are not counted. */
function nominalBytes({ weights }: PricedPrecision): number {
  return weights === 'fp4' ? 0.5 : weightBytesOf(weights);
}

function roundSequences(count: number): number {
  if (count < 256) return Math.max(FEWEST_SEQUENCES, roundUp(count, 32));
  return roundUp(count, count < 1024 ? 128 : 256);
}

function roundTokens(count: number): number {
  if (count < 4096) return Math.max(FEWEST_TOKENS, roundUp(count, 256));
  return roundUp(count, count < 8192 ? 512 : 1024);
}

function roundUp(count: number, unit: number): number {
  return unit * Math.ceil(count / unit);
}
