import type { DrawnToken } from '../core/sampling/drawn-token.ts';
import type { GenerationRequest, Sequence } from '../core/scheduler/request.ts';
import type { Journal, JournalRecord } from './journal.ts';

/** A request that is not finished, as the journal has it. */
export interface OpenRequest {
  readonly request: GenerationRequest;
  /** The tokens that each unfinished sample has drawn, by choice. */
  readonly generated: ReadonlyMap<number, readonly number[]>;
}

interface Entry {
  readonly sequences: Set<Sequence>;
  /** Records up to which the journal must be durable before the request counts as accepted. */
  readonly records: number;
}

/** Keeps the journal of the requests that a coordinator has taken in and not finished. */
export class RequestLedger {
  readonly #journal: Journal;
  readonly #accepted: (requestId: string) => void;
  readonly #entries = new Map<string, Entry>();
  /** Requests whose record is not durable yet, in order. */
  #unconfirmed: string[] = [];
  #appended = 0;
  #durable = 0;

  /** `accepted` hears of every request that from then on outlasts its coordinator. */
  constructor(journal: Journal, accepted: (requestId: string) => void) {
    this.#journal = journal;
    this.#accepted = accepted;
  }

  /** Says of a request that comes again what became of it; undefined where it is not known. */
  find(requestId: string): readonly Sequence[] | undefined {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) return undefined;
    if (entry.records <= this.#durable) this.#accepted(requestId);
    return [...entry.sequences];
  }

  /** Takes a request in, with the tokens that its samples have and without those that are over. */
  accept(request: GenerationRequest, sequences: readonly Sequence[]): void {
    this.#append({ kind: 'accepted', request });
    this.#appendProgress(request, sequences);
    this.#unconfirmed.push(request.requestId);
    this.#enter(request, sequences, this.#appended);
  }

  /** Takes a request over whose record a coordinator before this one wrote. */
  restore(request: GenerationRequest, sequences: readonly Sequence[]): void {
    this.#enter(request, sequences, 0);
  }

  drawn(sequence: Sequence, { token }: DrawnToken, isLast: boolean): void {
    if (!this.#isOpen(sequence)) return;
    const { requestId } = sequence.request;
    this.#append({ kind: 'token', requestId, choice: sequence.choice, token, isLast });
    if (isLast) this.#close(sequence);
  }

  /** Hears that a sequence gets no more tokens; more than once does no harm. */
  ended(sequence: Sequence): void {
    if (!this.#isOpen(sequence)) return;
    const { requestId } = sequence.request;
    this.#append({ kind: 'ended', requestId, choice: sequence.choice });
    this.#close(sequence);
  }

  epochBegins(epoch: number): void {
    this.#append({ kind: 'epoch', epoch });
  }

  /** The first `count` records that were appended are durable. */
  durable(count: number): void {
    this.#durable = count;
    const isConfirmed = (id: string): boolean => (this.#entries.get(id)?.records ?? 0) <= count;
    const confirmed = this.#unconfirmed.filter(isConfirmed);
    this.#unconfirmed = this.#unconfirmed.filter((id) => !isConfirmed(id));
    for (const requestId of confirmed) this.#accepted(requestId);
  }

  #appendProgress(
    { requestId, n, promptTokens }: GenerationRequest,
    sequences: readonly Sequence[],
  ): void {
    const open = new Map(sequences.map(({ choice, tokens }) => [choice, tokens]));
    for (let choice = 0; choice < n; choice++) {
      const tokens = open.get(choice);
      if (tokens === undefined) this.#append({ kind: 'ended', requestId, choice });
      for (const token of tokens?.slice(promptTokens.length) ?? []) {
        this.#append({ kind: 'token', requestId, choice, token, isLast: false });
      }
    }
  }

  #append(record: JournalRecord): void {
    this.#appended++;
    this.#journal.append(record);
  }

  #enter(request: GenerationRequest, sequences: readonly Sequence[], records: number): void {
    this.#entries.set(request.requestId, { sequences: new Set(sequences), records });
  }

  #isOpen(sequence: Sequence): boolean {
    return this.#entries.get(sequence.request.requestId)?.sequences.has(sequence) ?? false;
  }

  #close(sequence: Sequence): void {
    const { requestId } = sequence.request;
    const { sequences } = this.#entries.get(requestId)!;
    sequences.delete(sequence);
    if (sequences.size === 0) this.#entries.delete(requestId);
  }
}

/** The requests that records leave open, in the order of their acceptance, and the last epoch. */
export function readJournal(records: readonly JournalRecord[]): {
  readonly requests: readonly OpenRequest[];
  readonly lastEpoch: number;
} {
  const open = new Map<string, { request: GenerationRequest; generated: Map<number, number[]> }>();
  let lastEpoch = 0;
  for (const record of records) {
    if (record.kind === 'epoch') lastEpoch = Math.max(lastEpoch, record.epoch);
    else if (record.kind === 'accepted') {
      const { request } = record;
      const generated = new Map(Array.from({ length: request.n }, (_, choice) => [choice, []]));
      open.set(request.requestId, { request, generated });
    } else {
      const { requestId, choice } = record;
      const generated = open.get(requestId)?.generated;
      if (record.kind === 'token') generated?.get(choice)?.push(record.token);
      if (record.kind === 'ended' || record.isLast) generated?.delete(choice);
      if (generated?.size === 0) open.delete(requestId);
    }
  }
  return { requests: [...open.values()], lastEpoch };
}
