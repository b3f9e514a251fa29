import { GREEDY, type SamplingParams } from '../../core/sampling/params.ts';
import type { GenerationRequest } from '../../core/scheduler/request.ts';
import { Random } from '../random.ts';

/** Requests that worlds choose from: few enough that their undisturbed tokens are known soon. */
export const CATALOGUE_SIZE = 48;
/** Tokens that the longest request has in the end. */
export const LONGEST_REQUEST = 24;

const MAX_PROMPT = 14;
const SHARED_PREFIXES = 3;

/** A request of the catalogue: equal indices, equal requests. */
export function catalogueRequest(index: number, vocabSize: number): GenerationRequest {
  const random = new Random(index, 7);
  const token = (): number => random.integer(2, vocabSize - 1);
  const prefix = new Random(index % SHARED_PREFIXES, 8);
  const shared = Array.from({ length: random.integer(0, 9) }, () =>
    prefix.integer(2, vocabSize - 1),
  );
  const own = Array.from({ length: random.integer(1, MAX_PROMPT - shared.length) }, token);
  const promptTokens = [...shared, ...own];
  const maxTokens = random.integer(1, LONGEST_REQUEST - MAX_PROMPT);
  return {
    requestId: `request-${index}`,
    promptTokens,
    maxTokens,
    minTokens: random.integer(0, maxTokens),
    constraint: undefined,
    stopTokenIds: random.chance(0.3) ? [token()] : [],
    ignoreEos: random.chance(0.5),
    sampling: sampling(random),
    n: random.pick([1, 1, 1, 2]),
    priority: random.integer(0, 2),
    cacheSalt: random.chance(0.2) ? 'salt' : '',
    clientId: `client-${random.integer(0, 2)}`,
  };
}

function sampling(random: Random): SamplingParams {
  if (random.chance(0.3)) return GREEDY;
  const isNarrow = random.chance(0.4);
  return {
    ...GREEDY,
    temperature: random.pick([0.6, 1, 3]),
    topP: isNarrow ? random.pick([0.5, 0.95]) : 1,
    topK: isNarrow ? random.pick([0, 5, 30]) : 0,
    seed: random.integer(0, 2 ** 32 - 1),
    presencePenalty: random.chance(0.2) ? 1 : 0,
    repetitionPenalty: random.chance(0.2) ? 1.3 : 1,
    logprobs: random.chance(0.2) ? 2 : undefined,
  };
}
