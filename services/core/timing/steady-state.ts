import { InvalidArgumentError } from '../support/errors.ts';
import type { StepPrice } from './step-price.ts';
import type { StepPricer } from './step-pricer.ts';
import type { StepShape } from './step-shape.ts';

/** Requests of equal length, served by continuous batching with chunked prefill. */
export interface SteadyLoad {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Requests that clients keep open; infinite where more are always waiting. */
  readonly concurrency: number;
  /** Tokens of a step. */
  readonly maxNumBatchedTokens: number;
  /** Sequences of a step. */
  readonly maxNumSeqs: number;
  /** Tokens whose keys and values fit one replica. */
  readonly kvTokens: number;
  /** Whether a sequence reserves its longest course when it is admitted, or takes blocks as it grows. */
  readonly kvReservation: 'whole' | 'growing';
  /**
   * Whether requests have drifted apart, as those of clients with lengths that vary, or started
   * together with equal lengths, so that they also end together and their prompts fill whole steps.
   */
  readonly arrivals: 'spread' | 'together';
}

/** What limits the sequences that run together. */
export type SteadyLimit = 'concurrency' | 'sequences' | 'kv' | 'tokens';

/** The state that continuous batching settles in; rates are of one replica. */
export interface SteadyState {
  readonly limit: SteadyLimit;
  readonly decodeSequences: number;
  /** Mean over steps. */
  readonly prefillTokens: number;
  /** Share of the steps that compute a part of a prompt. */
  readonly prefillShare: number;
  readonly stepSeconds: number;
  readonly prefillStepSeconds: number;
  readonly requestsPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly totalTokensPerSecond: number;
  /** Mean time between tokens of a request. */
  readonly tpotSeconds: number;
  /** From the head of the queue to the first token. */
  readonly ttftSeconds: number;
  /** The kind of step that takes more of the time, and its account. */
  readonly shape: StepShape;
  readonly price: StepPrice;
}

/**
 * The steady state in closed form. Of N sequences in flight, D decode; each decodes in every step and
 * leaves after o − 1 of them, so by Little's law D / (o − 1) requests come and go per step, and
 * prompts add P = D · i / (o − 1) tokens to the average step.
 * - N is the least of the clients, the sequence limit, and what the KV cache holds.
 * - Where D + P would exceed the token budget T, D settles at T / (1 + i / (o − 1)).
 * - Where prompts are computed in fewer steps than pass between two arrivals, only that share of
 *   the steps has a chunk in it: of one prompt where requests are spread, of as many as the budget
 *   takes where they start together. The mean step weighs both kinds.
 * With pipeline stages, each of their batches has its part of N, and a token takes a whole round.
 */
export function steadyState(pricer: StepPricer, load: SteadyLoad): SteadyState {
  checkLoad(load);
  const { pp } = pricer.options.layout;
  const { sequences, limit } = sequencesInFlight(load);
  const perBatch = sequences / pp;
  const settled = load.maxNumBatchedTokens / (1 + tokensPerDecode(load));
  const saturated = load.outputTokens === 1 || perBatch > settled;
  const decode = load.outputTokens === 1 ? 0 : Math.min(perBatch, settled);
  return describe(pricer, load, { decode, limit: saturated ? 'tokens' : limit });
}

/** Prompt tokens that come with each decoded token. */
function tokensPerDecode({ inputTokens, outputTokens }: SteadyLoad): number {
  return inputTokens / Math.max(1, outputTokens - 1);
}

/**
 * The least of what clients, the sequence limit and the KV cache allow. Sequences that grow as one need
 * room for their longest course at the same time, also where nobody reserves it.
 */
export function sequencesInFlight(load: SteadyLoad): { sequences: number; limit: SteadyLimit } {
  const { inputTokens, outputTokens, kvReservation, arrivals } = load;
  const whole = kvReservation === 'whole' || arrivals === 'together';
  const held = inputTokens + (whole ? outputTokens : outputTokens / 2);
  const limits: readonly (readonly [SteadyLimit, number])[] = [
    ['kv', load.kvTokens / held],
    ['sequences', load.maxNumSeqs],
    ['concurrency', load.concurrency],
  ];
  const [limit, sequences] = limits.reduce((least, next) => (next[1] < least[1] ? next : least));
  return { sequences, limit };
}

function describe(
  pricer: StepPricer,
  load: SteadyLoad,
  { decode, limit }: { readonly decode: number; readonly limit: SteadyLimit },
): SteadyState {
  const { inputTokens, outputTokens } = load;
  const { pp } = pricer.options.layout;
  const room = load.maxNumBatchedTokens - decode;
  const arrivals = outputTokens === 1 ? room / inputTokens : decode / (outputTokens - 1);
  const burst = load.arrivals === 'together' ? Math.max(1, decode) * inputTokens : inputTokens;
  const chunk = Math.min(burst, room);
  const prefillShare = Math.min(1, (arrivals * inputTokens) / chunk);
  const prefillTokens = arrivals * inputTokens;
  const parts = { decode, load, chunk };
  const mixedShape = meanShapeOf({ ...parts, prefillTokens: prefillTokens / prefillShare });
  const mixed = pricer.price(mixedShape);
  const plainShape = meanShapeOf({ ...parts, prefillTokens: 0 });
  const plain = prefillShare < 1 ? pricer.price(plainShape) : mixed;
  const mean = (of: (price: StepPrice) => number): number =>
    prefillShare * of(mixed) + (1 - prefillShare) * of(plain);
  const interval = mean(({ intervalSeconds }) => intervalSeconds);
  const requestsPerSecond = arrivals / interval;
  return {
    limit,
    decodeSequences: decode * pp,
    prefillTokens,
    prefillShare,
    stepSeconds: interval,
    prefillStepSeconds: mixed.intervalSeconds,
    requestsPerSecond,
    outputTokensPerSecond: requestsPerSecond * outputTokens,
    totalTokensPerSecond: requestsPerSecond * (inputTokens + outputTokens),
    tpotSeconds: interval * pp,
    ttftSeconds: interval / 2 + Math.max(1, inputTokens / chunk) * mixed.intervalSeconds * pp,
    ...(prefillShare * mixed.intervalSeconds >= (1 - prefillShare) * plain.intervalSeconds
      ? { shape: mixedShape, price: mixed }
      : { shape: plainShape, price: plain }),
  };
}

/** A step with whole or fractional prompts of the mean progress. */
export function meanShapeOf(step: {
  readonly decode: number;
  readonly load: SteadyLoad;
  readonly chunk: number;
  readonly prefillTokens: number;
}): StepShape {
  const { decode, load, chunk, prefillTokens } = step;
  const { inputTokens, outputTokens } = load;
  const prompts = prefillTokens / inputTokens;
  const part = Math.min(chunk, inputTokens);
  return {
    prefillSequences: prefillTokens / part,
    prefillTokens,
    prefillPairs: (prefillTokens * (inputTokens + 1)) / 2,
    prefillCachedTokens: ((prefillTokens / part) * (inputTokens - part)) / 2,
    decodeSequences: decode,
    decodeContextTokens: decode * (inputTokens + outputTokens / 2),
    sampledRows: decode + prompts,
  };
}

function checkLoad(load: SteadyLoad): void {
  for (const field of [
    'inputTokens',
    'outputTokens',
    'maxNumBatchedTokens',
    'maxNumSeqs',
  ] as const) {
    if (!Number.isInteger(load[field]) || load[field] < 1) {
      throw new InvalidArgumentError(`${field} must be an integer from 1, not ${load[field]}`);
    }
  }
  if (!(load.concurrency > 0)) {
    throw new InvalidArgumentError(`concurrency must be above 0, not ${load.concurrency}`);
  }
  const needed = load.inputTokens + load.outputTokens;
  if (load.kvTokens < needed) {
    throw new InvalidArgumentError(
      `the KV cache holds ${load.kvTokens} tokens, and one request needs ${needed}: choose a larger tp or shorter requests`,
    );
  }
}
