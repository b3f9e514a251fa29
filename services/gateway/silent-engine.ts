import type { GenerateEvent } from '../client/index.ts';
import type { Engine } from './engine.ts';

const NO_TIME = { queueMs: 0, prefillMs: 0, decodeMs: 0, inferenceMs: 0, e2eMs: 0 };

/** Adds no token to any prompt: for answers that are the prompts alone. */
export const SILENT_ENGINE: Pick<Engine, 'generateStream'> = {
  async *generateStream({ prompt, requestId = '', n = 1 }): AsyncGenerator<GenerateEvent, void> {
    const promptTokens = prompt.length;
    yield { kind: 'accepted', requestId, promptTokens, seed: 0 };
    for (let index = 0; index < n; index++) {
      yield {
        kind: 'complete',
        index,
        finishReason: 'length',
        stopReason: undefined,
        usage: { promptTokens, completionTokens: 0, cachedTokens: 0 },
        timings: NO_TIME,
        preemptions: 0,
      };
    }
  },
};
