import { GREEDY } from '../../core/sampling/params.ts';
import type { GenerationRequest } from '../../core/scheduler/request.ts';
import type { PlannedRequest } from './planned-request.ts';
import { PromptTokens } from './prompt-tokens.ts';

/** Makes the requests that a scheduler sees of planned ones; a number tells them apart. */
export class PlannedGenerations {
  readonly #prompts = new PromptTokens();

  make(request: PlannedRequest, number: number): GenerationRequest {
    return {
      requestId: String(number),
      promptTokens: this.#prompts.of(request),
      maxTokens: request.outputTokens,
      minTokens: 0,
      constraint: undefined,
      stopTokenIds: [],
      ignoreEos: true,
      sampling: GREEDY,
      n: 1,
      priority: 0,
      // Prompts of unknown content share nothing.
      cacheSalt: request.contentIds === undefined ? String(number) : '',
      clientId: '',
    };
  }
}
