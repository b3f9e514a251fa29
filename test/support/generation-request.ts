import { GREEDY, type SamplingParams } from '../../services/core/sampling/params.ts';
import type { GenerationRequest } from '../../services/core/scheduler/request.ts';

type Given = Partial<Omit<GenerationRequest, 'sampling'>> & {
  readonly promptTokens: readonly number[];
  readonly sampling?: Partial<SamplingParams>;
};

/** A request with the given fields; the others ask for nothing special. */
export function makeGenerationRequest({ sampling, ...given }: Given): GenerationRequest {
  return {
    requestId: 'request',
    maxTokens: 16,
    minTokens: 0,
    stopTokenIds: [],
    ignoreEos: false,
    sampling: { ...GREEDY, ...sampling },
    constraint: undefined,
    n: 1,
    priority: 0,
    cacheSalt: '',
    clientId: '',
    ...given,
  };
}
