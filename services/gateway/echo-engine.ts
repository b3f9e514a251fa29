import type { CompleteEvent, GenerateEvent } from '../client/index.ts';
import type { Engine } from './engine.ts';

const NO_TIME = { queueMs: 0, prefillMs: 0, decodeMs: 0, inferenceMs: 0, e2eMs: 0 };

/**
 * Adds no token to any prompt: for answers that are the prompts alone. Only where their
 * log-probabilities are wanted is the engine asked, for one token that nobody sees.
 */
export class EchoEngine implements Pick<Engine, 'generateStream'> {
  readonly #engine: Pick<Engine, 'generateStream'>;

  constructor(engine: Pick<Engine, 'generateStream'>) {
    this.#engine = engine;
  }

  async *generateStream(
    ...call: Parameters<Engine['generateStream']>
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    const [{ prompt, requestId = '', n = 1, promptLogprobs }] = call;
    if (promptLogprobs !== undefined) {
      yield* this.#withoutTokens(this.#engine.generateStream(...call));
      return;
    }
    const promptTokens = prompt.length;
    yield { kind: 'accepted', requestId, promptTokens, seed: 0 };
    for (let index = 0; index < n; index++) yield silentEnd(index, promptTokens);
  }

  async *#withoutTokens(events: AsyncIterable<GenerateEvent>): AsyncGenerator<GenerateEvent> {
    for await (const event of events) {
      if (event.kind === 'complete') yield silentEnd(event.index, event.usage.promptTokens);
      else if (event.kind !== 'tokens') yield event;
    }
  }
}

function silentEnd(index: number, promptTokens: number): CompleteEvent {
  return {
    kind: 'complete',
    index,
    finishReason: 'length',
    stopReason: undefined,
    usage: { promptTokens, completionTokens: 0, cachedTokens: 0 },
    timings: NO_TIME,
    preemptions: 0,
  };
}
