import type { Sequence } from '../../core/scheduler/request.ts';
import type { FinishReason, GenerateEvent } from '../../rpc/inference-types.ts';
import { EventQueue } from '../support/event-queue.ts';
import { type SampleOptions, SampleStream, type TakenToken } from './sample-stream.ts';

/** One request on its way to a client: the events of all its samples in one queue. */
export class Generation {
  readonly events: EventQueue<GenerateEvent>;
  readonly requestId: string;
  /** One sequence for each sample. */
  readonly sequences: readonly Sequence[];
  readonly #open: Map<Sequence, SampleStream>;

  constructor(sequences: readonly Sequence[], options: SampleOptions) {
    const { requestId, promptTokens, sampling } = sequences[0]!.request;
    this.requestId = requestId;
    this.sequences = sequences;
    this.#open = new Map(
      sequences.map((sequence) => [sequence, new SampleStream(sequence, options)]),
    );
    this.events = new EventQueue(1 + sequences.reduce((sum, each) => sum + mostEvents(each), 0));
    this.events.push({
      kind: 'accepted',
      requestId,
      promptTokens: promptTokens.length,
      seed: sampling.seed,
    });
  }

  /** Takes a token of one sample, and returns why that has ended, if it has. */
  take(sequence: Sequence, token: TakenToken): FinishReason | undefined {
    const events = this.#open.get(sequence)?.take(token) ?? [];
    for (const event of events) this.events.push(event);
    const last = events.at(-1);
    if (last?.kind !== 'complete') return undefined;
    this.#open.delete(sequence);
    if (this.#open.size === 0) this.events.end();
    return last.finishReason;
  }

  /** Ends every sample that is open. */
  abort(): void {
    for (const sample of this.#open.values()) {
      for (const event of sample.abort()) this.events.push(event);
    }
    this.#open.clear();
    this.events.end();
  }
}

/** One for each token that may still be drawn, and the last. */
function mostEvents({ tokenLimit, request }: Sequence): number {
  return tokenLimit - request.promptTokens.length + 1;
}
