import type { SchedulerOptions } from './options.ts';
import { type GenerationRequest, type Sequence, tokenLimitOf } from './request.ts';

/** Why a request is not taken: it can never be served, or not now. */
export interface Refusal {
  readonly kind: 'rejected';
  readonly reason: 'invalid' | 'full';
  readonly message: string;
}

/** What has been taken in and has not ended; counted only where it is asked for. */
export interface Load {
  /** Samples that wait or run. */
  readonly samples: number;
  /** Their prompt tokens that are not computed yet. */
  readonly promptTokens: number;
}

/** What is to be taken in, and into what. */
interface Intake {
  /** Those of the request that are to be queued: all of `n`, but where some are over elsewhere. */
  readonly samples: number;
  readonly options: SchedulerOptions;
  readonly load: Load;
}

/** Refuses what the group cannot serve, ever or now; undefined where it can. */
export function findRefusal(request: GenerationRequest, intake: Intake): Refusal | undefined {
  const problem = findProblem(request, intake.options);
  if (problem !== undefined) return { kind: 'rejected', reason: 'invalid', message: problem };
  const overload = overloadOf(request, intake);
  if (overload === undefined) return undefined;
  return { kind: 'rejected', reason: 'full', message: `${overload}; try again later` };
}

/** A sequence's prompt tokens that are not computed yet. */
export function promptTokensLeft({ request, computedTokens }: Sequence): number {
  return Math.max(0, request.promptTokens.length - computedTokens);
}

/** A sentence on why a request can never be served; undefined where it can. */
export function findProblem(
  request: GenerationRequest,
  options: SchedulerOptions,
): string | undefined {
  const { maxModelLen, kvBlocks, blockSize } = options;
  const { maxTokens, minTokens, n } = request;
  const length = request.promptTokens.length;
  if (length === 0) return 'input must have at least one token';
  if (length >= maxModelLen) {
    return `input must have fewer tokens than the context length of ${maxModelLen}, not ${length}`;
  }
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1)) {
    return `max_tokens must be a whole number of at least 1, not ${maxTokens}`;
  }
  if (!(Number.isInteger(minTokens) && minTokens >= 0 && minTokens <= maxTokens)) {
    return `min_tokens must be a whole number from 0 to max_tokens (${maxTokens}), not ${minTokens}`;
  }
  if (!(Number.isInteger(n) && n >= 1)) return `n must be a whole number of at least 1, not ${n}`;
  const unserved = neverQueuable(request, options);
  if (unserved !== undefined) return unserved;
  const blocks = Math.ceil((tokenLimitOf(request, maxModelLen) - 1) / blockSize);
  if (blocks <= kvBlocks) return undefined;
  return `max_tokens must be lower: the request may need ${blocks} KV blocks of ${blockSize} tokens, and the group has ${kvBlocks}`;
}

/** What even an empty queue would refuse. */
function neverQueuable(
  { n, promptTokens }: GenerationRequest,
  { maxNumQueuedReqs, maxNumQueuedTokens }: SchedulerOptions,
): string | undefined {
  if (n > maxNumQueuedReqs) return `n must be at most ${maxNumQueuedReqs}, not ${n}`;
  const tokens = n * promptTokens.length;
  if (maxNumQueuedTokens === undefined || tokens <= maxNumQueuedTokens) return undefined;
  return `input must have at most ${maxNumQueuedTokens} tokens in all samples together, not ${tokens}`;
}

function overloadOf(
  { promptTokens }: GenerationRequest,
  { samples, options, load }: Intake,
): string | undefined {
  const { maxNumQueuedReqs, maxNumQueuedTokens } = options;
  if (load.samples + samples > maxNumQueuedReqs) {
    return `the queue is full: ${load.samples} of at most ${maxNumQueuedReqs} requests wait or run`;
  }
  const tokens = samples * promptTokens.length;
  if (maxNumQueuedTokens === undefined || load.promptTokens + tokens <= maxNumQueuedTokens) {
    return undefined;
  }
  return `the queue is full: ${load.promptTokens} prompt tokens wait, and at most ${maxNumQueuedTokens} may`;
}
