import type { InferenceEngine } from '../../rpc/inference-service.ts';
import type {
  CompleteEvent,
  DetokenizeInput,
  FinishReason,
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  Prompt,
  ServerInfo,
} from '../../rpc/inference-types.ts';
import { RpcError } from '../../rpc/status.ts';

/**
 * What a stand-in says to a request, once for each of its samples: pieces of text, each of which
 * arrives by itself. To throw an RpcError fails the request with it.
 */
export type Reply = (request: GenerateInput) => Iterable<string> | AsyncIterable<string>;

const SERVER_INFO: ServerInfo = {
  modelName: 'stand-in',
  precision: 'f32',
  tensorParallelSize: 1,
  serverType: 'sohu-stand-in',
  version: '0.0.0',
  maxContextLength: 2 ** 20,
  vocabSize: 0x110000,
  eosTokenIds: [],
  kvBlocks: 0,
  maxNumSeqs: 1_024,
  weights: 'checkpoint',
  chip: 'Sohu',
  software: 'ideal',
  speed: 0,
  chips: [],
};
const NO_TIME = { queueMs: 0, prefillMs: 0, decodeMs: 0, inferenceMs: 0, e2eMs: 0 };

/** Says what it is told to; its tokens are the characters of the text. */
export class StandInEngine implements InferenceEngine {
  readonly #reply: Reply;
  /** What ends each open request, by its name. */
  readonly #open = new Map<string, AbortController>();

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  async *generate(input: GenerateInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const { requestId, prompt, sampling } = input;
    if (sampling.promptLogprobs !== undefined) {
      throw new RpcError(
        'INVALID_ARGUMENT',
        'prompt_logprobs must be absent: a stand-in has no model to compute prompts with',
      );
    }
    const promptTokens = tokensOf(prompt).length;
    const abort = new AbortController();
    this.#open.set(requestId, abort);
    try {
      yield { kind: 'accepted', requestId, promptTokens, seed: sampling.seed ?? 0 };
      const ended = AbortSignal.any([signal, abort.signal]);
      for (let index = 0; index < sampling.n; index++) {
        yield* new Sample(input, { index, promptTokens }).events(this.#reply(input), ended);
        if (signal.aborted) throw RpcError.fromAbort(signal.reason);
      }
    } finally {
      this.#open.delete(requestId);
    }
  }

  abort(requestIds: readonly string[]): number {
    const open = requestIds.flatMap((requestId) => this.#open.get(requestId) ?? []);
    for (const controller of open) controller.abort();
    return open.length;
  }

  tokenize(text: string): readonly number[] {
    return tokensOf({ kind: 'text', text });
  }

  detokenize({ tokenIds }: DetokenizeInput): string {
    return String.fromCodePoint(...tokenIds);
  }

  async *kvEvents(_: number | undefined, signal: AbortSignal): AsyncGenerator<KvEventBatch> {
    await fired(signal);
    yield* [];
  }

  serverInfo(): ServerInfo {
    return SERVER_INFO;
  }
}

/** One sample of a request on its way out. */
class Sample {
  readonly #input: GenerateInput;
  readonly #place: { readonly index: number; readonly promptTokens: number };
  #tokens = 0;
  #interrupt: () => void = () => {};

  constructor(input: GenerateInput, place: { index: number; promptTokens: number }) {
    this.#input = input;
    this.#place = place;
  }

  /** Ends at the end of the pieces, at the request's length, or when the signal fires. */
  async *events(
    pieces: Iterable<string> | AsyncIterable<string>,
    ended: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    const { maxTokens = Number.POSITIVE_INFINITY } = this.#input.sampling;
    const iterator = iterate(pieces);
    ended.addEventListener('abort', () => this.#interrupt(), { once: true });
    while (this.#tokens < maxTokens) {
      const next = ended.aborted ? undefined : await this.#next(iterator);
      if (next === undefined || next.done) {
        yield this.#complete(next === undefined ? 'abort' : 'stop');
        return;
      }
      yield this.#take([...next.value].slice(0, maxTokens - this.#tokens));
    }
    yield this.#complete('length');
  }

  /** Undefined where the signal fires first. */
  #next(pieces: AsyncGenerator<string>): Promise<IteratorResult<string> | undefined> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(undefined);
      pieces.next().then(resolve, reject);
    });
  }

  #take(characters: readonly string[]): GenerateEvent {
    const firstTokenIndex = this.#tokens;
    this.#tokens += characters.length;
    const text = characters.join('');
    const tokenIds = tokensOf({ kind: 'text', text });
    const { index } = this.#place;
    const place = { index, firstTokenIndex, isLast: false };
    return { kind: 'tokens', ...place, tokenIds, text, logprobs: [] };
  }

  #complete(finishReason: FinishReason): CompleteEvent {
    const { index, promptTokens } = this.#place;
    const usage = { promptTokens, completionTokens: this.#tokens, cachedTokens: 0 };
    const end = { finishReason, stopReason: undefined, usage, timings: NO_TIME, preemptions: 0 };
    return { kind: 'complete', index, ...end };
  }
}

function tokensOf(prompt: Prompt): readonly number[] {
  if (prompt.kind === 'tokens') return prompt.tokenIds;
  return [...prompt.text].map((character) => character.codePointAt(0)!);
}

async function* iterate(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  yield* pieces;
}

function fired(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
