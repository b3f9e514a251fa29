import type { EndedSample, SequenceStep } from '../rpc/telemetry-types.ts';
import type { StepsEvent } from './events.ts';

/** Requests that are kept, the oldest first to go. */
const CAPACITY = 200;

/** A stretch of host time, since 1970. */
export interface Span {
  readonly fromMs: number;
  toMs: number;
}

/** One sample of a request, as the steps told of it. */
export interface RequestRow {
  readonly requestId: string;
  readonly index: number;
  /** Beginning of the first step that computed it; later than its arrival. */
  readonly firstMs: number;
  firstTokenMs: number | undefined;
  lastMs: number;
  generatedTokens: number;
  phase: SequenceStep['phase'];
  /** Times between two steps in which it was not in the batch. */
  readonly pauses: Span[];
  isOpen: boolean;
  /** What the engine said of it at its end, which is exact. */
  ended: EndedSample | undefined;
}

/** The latest requests, from what the steps computed and what the engine says of those that end. */
export class RequestBook {
  readonly #rows = new Map<string, RequestRow>();

  /** By the time of their first step. */
  get rows(): readonly RequestRow[] {
    return [...this.#rows.values()].sort((a, b) => beganMs(a) - beganMs(b));
  }

  take({ batch, steps, ended }: Pick<StepsEvent, 'batch' | 'steps' | 'ended'>): void {
    const last = steps.at(-1);
    if (last !== undefined) for (const part of batch) this.#compute(part, last);
    for (const sample of ended) this.end(sample);
    const isWhole = batch.length === last?.sequences;
    if (isWhole) this.#pause(new Set(batch.map(keyOf)), last.beganMs);
    this.#forget();
  }

  end(sample: EndedSample): void {
    const row = this.#rows.get(keyOf(sample)) ?? fromEnd(sample);
    this.#rows.set(keyOf(sample), row);
    row.ended = sample;
    row.isOpen = false;
  }

  /** The engine has none any more: what is open has ended, though it was not told how. */
  closeAll(): void {
    for (const row of this.#rows.values()) row.isOpen = false;
  }

  #compute(part: SequenceStep, step: { readonly beganMs: number; readonly endedMs: number }): void {
    const row = this.#rows.get(keyOf(part)) ?? fromStep(part, step.beganMs);
    this.#rows.set(keyOf(part), row);
    if (row.ended !== undefined) return;
    const pause = row.pauses.at(-1);
    if (pause?.toMs === Number.POSITIVE_INFINITY) pause.toMs = step.beganMs;
    row.isOpen = true;
    row.phase = part.phase;
    row.lastMs = step.endedMs;
    if (!part.sampled) return;
    row.generatedTokens++;
    row.firstTokenMs ??= step.endedMs;
  }

  #pause(present: ReadonlySet<string>, atMs: number): void {
    for (const [key, row] of this.#rows) {
      const isPaused = row.pauses.at(-1)?.toMs === Number.POSITIVE_INFINITY;
      if (!row.isOpen || isPaused || present.has(key)) continue;
      row.pauses.push({ fromMs: Math.min(row.lastMs, atMs), toMs: Number.POSITIVE_INFINITY });
    }
  }

  #forget(): void {
    for (const key of this.#rows.keys()) {
      if (this.#rows.size <= CAPACITY) return;
      this.#rows.delete(key);
    }
  }
}

/** When a request arrived, or where that is not told yet, when its first step began. */
export function beganMs(row: RequestRow): number {
  return row.ended?.arrivedMs ?? row.firstMs;
}

/** When a request ended; the time that is passed while it is open. */
export function endedMs({ ended, isOpen, lastMs }: RequestRow, nowMs: number): number {
  if (ended === undefined) return isOpen ? nowMs : lastMs;
  return ended.arrivedMs + ended.queueMs + ended.prefillMs + ended.decodeMs;
}

function keyOf({
  requestId,
  index,
}: {
  readonly requestId: string;
  readonly index: number;
}): string {
  return `${index} ${requestId}`;
}

function fromStep({ requestId, index, phase }: SequenceStep, firstMs: number): RequestRow {
  return {
    ...{ requestId, index, firstMs, phase },
    firstTokenMs: undefined,
    lastMs: firstMs,
    generatedTokens: 0,
    pauses: [],
    isOpen: true,
    ended: undefined,
  };
}

function fromEnd(sample: EndedSample): RequestRow {
  const { requestId, index, arrivedMs, queueMs } = sample;
  return fromStep(
    { requestId, index, phase: 'decode', tokens: 0, start: 0, sampled: false },
    arrivedMs + queueMs,
  );
}
