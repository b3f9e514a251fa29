import type { ToldPrompt } from '../../cluster/prompt-rows.ts';
import type { GenerationRequest, Sequence } from '../../core/scheduler/request.ts';
import type { CompleteEvent, FinishReason, GenerateEvent } from '../../rpc/inference-types.ts';
import { EventQueue } from '../support/event-queue.ts';
import type { EndedSample, ResumedRequest } from './resume-samples.ts';
import { SampleStream, type TakenToken } from './sample-stream.ts';
import { type SampleOptions, SampleText } from './sample-text.ts';

/** Log-probabilities in one event: what makes a message of less than 256 KiB. */
const MOST_LOGPROBS = 16_384;
const NO_TIME = { queueMs: 0, prefillMs: 0, decodeMs: 0, inferenceMs: 0, e2eMs: 0 };

export interface GenerationOptions extends SampleOptions {
  readonly request: GenerationRequest;
  /** What its tokens depend on beside it. */
  readonly model: string;
  /** One for each sample that is not over. */
  readonly sequences: readonly Sequence[];
  /** Where another stream of the request began it. */
  readonly resumed: ResumedRequest | undefined;
}

/** One request on its way to a client: the events of all its samples in one queue. */
export class Generation {
  readonly events: EventQueue<GenerateEvent>;
  readonly request: GenerationRequest;
  /** One for each sample that was not over from the beginning. */
  readonly sequences: readonly Sequence[];
  readonly #open: Map<Sequence, SampleStream>;
  /** Prompt tokens whose log-probabilities are still to be told. */
  #promptTokensDue: number;
  /** What other samples gained before that. */
  #held: GenerateEvent[] = [];

  constructor({ request, model, sequences, resumed, ...options }: GenerationOptions) {
    const { requestId, promptTokens, sampling } = request;
    this.request = request;
    this.sequences = sequences;
    this.#open = new Map(
      sequences.map((sequence) => {
        const text = resumed?.texts.get(sequence.choice) ?? new SampleText(request, options);
        return [sequence, new SampleStream(sequence, text)];
      }),
    );
    const told = resumed?.progress.toldPromptTokens ?? 1;
    this.#promptTokensDue = sampling.promptLogprobs === undefined ? 0 : promptTokens.length - told;
    const capacity = sequences.reduce((sum, each) => sum + mostEvents(each), this.#promptTokensDue);
    this.events = new EventQueue(1 + request.n + capacity);
    this.events.push({
      kind: 'accepted',
      requestId,
      promptTokens: promptTokens.length,
      seed: sampling.seed,
      model,
    });
    for (const sample of resumed?.ended ?? []) this.events.push(completeOf(sample, request));
    if (sequences.length === 0) this.events.end();
  }

  /** Takes log-probabilities of the prompt, which is that of all samples. */
  takePrompt({ start, logprobs }: ToldPrompt): void {
    const most = Math.max(1, Math.floor(MOST_LOGPROBS / (1 + (logprobs[0]?.top.length ?? 0))));
    for (let at = 0; at < logprobs.length; at += most) {
      const part = logprobs.slice(at, at + most);
      this.events.push({ kind: 'promptLogprobs', firstTokenIndex: start + at, logprobs: part });
    }
    this.#promptTokensDue -= logprobs.length;
    if (this.#promptTokensDue === 0) this.#release();
  }

  /** Takes a token of one sample, and returns why that has ended, if it has. */
  take(sequence: Sequence, token: TakenToken): FinishReason | undefined {
    const events = this.#open.get(sequence)?.take(token) ?? [];
    this.#held.push(...events);
    if (this.#promptTokensDue === 0) this.#release();
    const last = events.at(-1);
    if (last?.kind !== 'complete') return undefined;
    this.#open.delete(sequence);
    if (this.#open.size === 0) this.events.end();
    return last.finishReason;
  }

  /** Ends every sample that is open. */
  abort(): void {
    for (const sample of this.#open.values()) this.#held.push(...sample.abort());
    this.#open.clear();
    this.#release();
    this.events.end();
  }

  #release(): void {
    for (const event of this.#held) this.events.push(event);
    this.#held = [];
  }
}

/** The word that a sample is over which lost it on the way; its times are lost with it. */
function completeOf(
  { choice, completionTokens, ...end }: EndedSample,
  { promptTokens }: GenerationRequest,
): CompleteEvent {
  const usage = { promptTokens: promptTokens.length, completionTokens, cachedTokens: 0 };
  return { kind: 'complete', index: choice, ...end, usage, timings: NO_TIME, preemptions: 0 };
}

/** One for each token that may still be drawn, and the last. */
function mostEvents({ tokenLimit, request }: Sequence): number {
  return tokenLimit - request.promptTokens.length + 1;
}
