import type { Architecture } from '../core/architecture/architecture.ts';
import { findChip } from '../core/hardware/chip-catalogue.ts';
import type { KernelParameters, VersionParameters } from '../core/timing/calibration-model.ts';
import { ratesOf } from '../core/timing/chip-rates.ts';
import { closedLoopTtftSeconds, finiteRunTokensPerSecond } from '../core/timing/finite-run.ts';
import { planMemory } from '../core/timing/memory-plan.ts';
import { openLoopState } from '../core/timing/open-loop.ts';
import type { PricedPrecision } from '../core/timing/precision.ts';
import { findSoftwareVersion } from '../core/timing/software-version.ts';
import { firstTokenSeconds, staticBatchTokensPerSecond } from '../core/timing/static-batch.ts';
import { type SteadyLoad, steadyState } from '../core/timing/steady-state.ts';
import { limitsOf, type StepLimits } from '../core/timing/step-limits.ts';
import { StepPricer } from '../core/timing/step-pricer.ts';
import type { PublishedRow } from './published-row.ts';

/** What a prediction needs beside the row. */
export interface PredictionContext {
  readonly kernels: KernelParameters;
  readonly version: VersionParameters;
  readonly architecture: Architecture;
}

/** Requests of a run over the clients that it keeps (ai-dynamo's harness follows InferenceMAX). */
const REQUESTS_PER_CLIENT = 10;

/**
 * What a client over HTTP sees before its first token beside the engine: parsing, tokenizing, the first chunk on its
 * way (assumed; no table separates it).
 */
const FRONT_END_MS = 3;

/** What the timing model says in place of a published figure, in the figure's unit. */
export function predictRow(row: PublishedRow, context: PredictionContext): number {
  const pricer = makeRowPricer(row, context);
  const { inputTokens, outputTokens, sequences } = row;
  if (row.table === 'trtllm-static') {
    const work = { batch: sequences!, inputTokens, outputTokens };
    return row.metric === 'ttft_ms'
      ? firstTokenSeconds(pricer, work) * 1000
      : staticBatchTokensPerSecond(pricer, work);
  }
  const load = loadOf(row, context);
  if (row.requestRate !== undefined) {
    const { tpotSeconds, ttftSeconds } = openLoopState(pricer, load, row.requestRate);
    return row.metric === 'tpot_ms' ? tpotSeconds * 1000 : FRONT_END_MS + ttftSeconds * 1000;
  }
  if (row.metric === 'tpot_ms') return steadyState(pricer, load).tpotSeconds * 1000;
  if (row.metric === 'ttft_ms') {
    const requests = REQUESTS_PER_CLIENT * load.concurrency;
    return FRONT_END_MS + closedLoopTtftSeconds(pricer, load, requests) * 1000;
  }
  return finiteRunTokensPerSecond(pricer, load, requestsOf(row));
}

/** The pricer of a row's model, chip, layout and software. */
export function makeRowPricer(row: PublishedRow, context: PredictionContext): StepPricer {
  const { maxNumSeqs } = rowLimits(row, context.architecture);
  return new StepPricer({
    ...context,
    maxNumSeqs,
    rates: ratesOf(findChip(row.chip), context.kernels, 'middle'),
    layout: layoutOf(row),
    precision: precisionOf(row),
  });
}

/** The row's requests and the limits of its run. */
export function loadOf(row: PublishedRow, { architecture }: PredictionContext): SteadyLoad {
  const software = findSoftwareVersion(row.version);
  const limits = rowLimits(row, architecture);
  const plan = planMemory({
    architecture,
    layout: layoutOf(row),
    precision: precisionOf(row),
    chip: findChip(row.chip),
    ...limits,
    memoryFraction: software.memoryFraction,
    kvFraction: software.kvFraction,
  });
  return {
    ...limits,
    inputTokens: row.inputTokens,
    outputTokens: row.outputTokens,
    concurrency: row.sequences ?? Number.POSITIVE_INFINITY,
    kvTokens: plan.kvTokens,
    kvReservation: software.kvReservation,
    arrivals: row.sequences === undefined && row.requestRate === undefined ? 'together' : 'spread',
  };
}

function rowLimits(row: PublishedRow, architecture: Architecture): StepLimits {
  const limits = limitsOf(findSoftwareVersion(row.version), {
    ...row,
    architecture,
    chip: findChip(row.chip),
    layout: layoutOf(row),
    precision: precisionOf(row),
  });
  return {
    maxNumBatchedTokens: row.maxNumBatchedTokens ?? limits.maxNumBatchedTokens,
    maxNumSeqs: row.maxNumSeqs ?? limits.maxNumSeqs,
  };
}

function layoutOf({ tp }: PublishedRow) {
  return { tp, pp: 1, ep: 1, dp: 1 };
}

function precisionOf({ precision, table }: PublishedRow): PricedPrecision {
  const narrow = precision !== 'bf16' && table !== 'vllm-1024-1024';
  return { weights: precision, kv: narrow ? 'fp8' : 'bf16' };
}

/** Requests of NVIDIA's benchmark, by lengths (performance overviews of 0.10 and 0.12). */
function requestsOf({ version, inputTokens, outputTokens }: PublishedRow): number {
  if (version === 'trtllm-0.10.0') return 2000;
  const tokens = inputTokens + outputTokens;
  if (tokens <= 256) return 30_000;
  if (tokens <= 2500) return 3000;
  return tokens <= 8000 ? 1500 : 1000;
}
