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
  /** Whether a server that takes over has yet to accept the request too. */
  #isHandedOver = false;
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

  /** Takes an event, and says whether it is news: that another server accepts the request is none. */
  take(event: GenerateEvent): boolean {
    if (this.#isHandedOver) {
      this.#checkSame(event);
      this.#isHandedOver = false;
      return false;
    }
    switch (event.kind) {
      case 'accepted':
        this.#accepted ??= event;
        return true;
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

  /** The request for what is missing, to open a call with. */
  rest(): GenerateInput {
    if (this.#accepted === undefined) return this.#input;
    this.#isHandedOver = true;
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

  #checkSame(event: GenerateEvent): void {
    const { promptTokens, seed, model } = this.#accepted!;
    if (event.kind !== 'accepted' || event.promptTokens !== promptTokens || event.seed !== seed) {
      throw new RpcError('DATA_LOSS', 'the server that took over goes on with another request');
    }
    if (event.model !== model) {
      const models = `${event.model ?? 'another model'}, and the one before ${model ?? 'another'}`;
      throw new RpcError('DATA_LOSS', `the server that took over computes ${models}`);
    }
  }
}
