import type { AcceptedEvent, GenerateEvent, GenerateInput } from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';

interface ReceivedSample {
  readonly tokenIds: number[];
  isComplete: boolean;
}

/** What a client has of the answer to a request: enough to go on with any engine of the model. */
export class ReceivedAnswer {
  readonly #input: GenerateInput;
  readonly #samples: readonly ReceivedSample[];
  #promptLogprobs = 0;
  #accepted: AcceptedEvent | undefined;
  #isAborted = false;

  constructor(input: GenerateInput) {
    this.#input = input;
    const { n } = input.sampling;
    this.#samples = Array.from({ length: n }, () => ({ tokenIds: [], isComplete: false }));
  }

  /** Whether nothing more is to come but the end of the call. */
  get isWhole(): boolean {
    return this.#samples.every(({ isComplete }) => isComplete);
  }

  /** Whether an engine may go on: it has begun, and nobody has ended it by its name. */
  get canGoOn(): boolean {
    return this.#accepted !== undefined && !this.#isAborted;
  }

  /** Takes an event, and says whether it is news: that a request was accepted is told once. */
  take(event: GenerateEvent): boolean {
    switch (event.kind) {
      case 'accepted':
        return this.#accept(event);
      case 'promptLogprobs':
        this.#promptLogprobs += event.logprobs.length;
        return true;
      case 'tokens': {
        // Only an abort gives out text without a token.
        if (event.tokenIds.length === 0) this.#isAborted = true;
        this.#samples[event.index]?.tokenIds.push(...event.tokenIds);
        return true;
      }
      case 'complete': {
        if (event.finishReason === 'abort') this.#isAborted = true;
        const sample = this.#samples[event.index];
        if (sample !== undefined) sample.isComplete = true;
        return true;
      }
    }
  }

  /** The request for what is missing. */
  rest(): GenerateInput {
    if (this.#accepted === undefined) return this.#input;
    const { sampling } = this.#input;
    const samples = this.#samples.map(({ tokenIds, isComplete }) => ({
      tokenIds: isComplete ? [] : tokenIds,
      isComplete,
    }));
    return {
      ...this.#input,
      sampling: { ...sampling, seed: this.#accepted.seed },
      resumption: { samples, promptLogprobs: this.#promptLogprobs },
    };
  }

  #accept(event: AcceptedEvent): boolean {
    const before = this.#accepted;
    this.#accepted ??= event;
    if (before === undefined) return true;
    if (before.promptTokens !== event.promptTokens || before.seed !== event.seed) {
      throw new RpcError('DATA_LOSS', 'the server that took over reads the request differently');
    }
    return false;
  }
}
