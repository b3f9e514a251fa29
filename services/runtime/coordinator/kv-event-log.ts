import { EventEmitter, once, setMaxListeners } from 'node:events';
import { type KvEvent, toTextEvent } from '../../core/kv/kv-events.ts';
import type { KvEventBatch } from '../../rpc/inference-types.ts';
import { RpcError } from '../../rpc/status.ts';

/** Hashes become text when somebody reads them: mostly nobody does. */
type Batch = Omit<KvEventBatch, 'events'> & { readonly events: readonly KvEvent[] };

/** Tokens that kept batches may name: they are what takes memory. */
const MAX_TOKENS = 2_000_000;

/** Batches that are kept for readers that come later or fall behind, as vLLM's buffer_steps. */
const CAPACITY = 10_000;

/**
 * The last changes of the prefix cache, numbered without a gap. Readers share one ring: none has a
 * queue of its own, and one that falls too far behind is told so.
 */
export class KvEventLog {
  readonly #capacity: number;
  readonly #ring: Batch[] = [];
  readonly #appends = new EventEmitter();
  #first = 0;
  #next = 0;
  #tokens = 0;

  constructor({ capacity = CAPACITY }: { readonly capacity?: number } = {}) {
    this.#capacity = capacity;
    setMaxListeners(0, this.#appends); // Every reader that waits listens.
  }

  /** Adds a batch; nothing for no events. */
  append(events: readonly KvEvent[]): void {
    if (events.length === 0) return;
    const sequenceNumber = this.#next++;
    const batch = { sequenceNumber, timestampMs: Date.now(), events };
    this.#tokens += countTokens(batch);
    while (this.#isFull(sequenceNumber)) {
      this.#tokens -= countTokens(this.#ring[this.#first % this.#capacity]!);
      delete this.#ring[this.#first++ % this.#capacity];
    }
    this.#ring[sequenceNumber % this.#capacity] = batch;
    this.#appends.emit('append');
  }

  /**
   * The batches from `start` on, or from now on where it is undefined, until the signal fires.
   * Throws OUT_OF_RANGE where the log does not have that number any more, or not yet.
   */
  async *read(start: number | undefined, signal: AbortSignal): AsyncGenerator<KvEventBatch> {
    let wanted = start ?? this.#next;
    this.#check(wanted);
    for (;;) {
      while (wanted < this.#next) {
        this.#check(wanted);
        const batch = this.#ring[wanted++ % this.#capacity]!;
        yield { ...batch, events: batch.events.map(toTextEvent) };
      }
      await this.#appended(signal);
    }
  }

  #check(wanted: number): void {
    const first = this.#first;
    if (Number.isInteger(wanted) && wanted >= first && wanted <= this.#next) return;
    throw new RpcError(
      'OUT_OF_RANGE',
      `start_sequence_number must be from ${first}, the oldest batch that is kept, to ${this.#next}, the next, not ${wanted}`,
    );
  }

  /** Whether an older batch must go before this one fits. */
  #isFull(sequenceNumber: number): boolean {
    const kept = sequenceNumber - this.#first;
    return kept >= this.#capacity || (kept > 0 && this.#tokens > MAX_TOKENS);
  }

  async #appended(signal: AbortSignal): Promise<void> {
    try {
      await once(this.#appends, 'append', { signal });
    } catch {
      throw RpcError.fromAbort(signal.reason);
    }
  }
}

function countTokens({ events }: Pick<Batch, 'events'>): number {
  return events.reduce(
    (sum, event) => sum + (event.kind === 'blockStored' ? event.tokens.length : 0),
    0,
  );
}
