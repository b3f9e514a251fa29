import type { ToldPrompt } from '../../cluster/prompt-rows.ts';
import type { Sequence } from '../../core/scheduler/request.ts';
import type { FinishReason, GenerateEvent } from '../../rpc/inference-types.ts';
import { EventQueue } from '../support/event-queue.ts';
import { type SampleOptions, SampleStream, type TakenToken } from './sample-stream.ts';

/** Log-probabilities in one event: what makes a message of less than 256 KiB. */
const MOST_LOGPROBS = 16_384;

/** One request on its way to a client: the events of all its samples in one queue. */
export class Generation {
  readonly events: EventQueue<GenerateEvent>;
  readonly requestId: string;
  /** One sequence for each sample. */
  readonly sequences: readonly Sequence[];
  readonly #open: Map<Sequence, SampleStream>;
  /** Prompt tokens whose log-probabilities are still to be told. */
  #promptTokensDue: number;
  /** What other samples gained before that. */
  #held: GenerateEvent[] = [];

  constructor(sequences: readonly Sequence[], options: SampleOptions) {
    const { requestId, promptTokens, sampling } = sequences[0]!.request;
    this.requestId = requestId;
    this.sequences = sequences;
    this.#open = new Map(
      sequences.map((sequence) => [sequence, new SampleStream(sequence, options)]),
    );
    this.#promptTokensDue = sampling.promptLogprobs === undefined ? 0 : promptTokens.length - 1;
    const capacity = sequences.reduce((sum, each) => sum + mostEvents(each), this.#promptTokensDue);
    this.events = new EventQueue(1 + capacity);
    this.events.push({
      kind: 'accepted',
      requestId,
      promptTokens: promptTokens.length,
      seed: sampling.seed,
    });
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

/** One for each token that may still be drawn, and the last. */
function mostEvents({ tokenLimit, request }: Sequence): number {
  return tokenLimit - request.promptTokens.length + 1;
}
