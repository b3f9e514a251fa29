import type { StepCompleted } from '../../cluster/coordinator-effects.ts';
import { completionTokens, type Sequence } from '../../core/scheduler/request.ts';
import type { ScheduledSequence } from '../../core/scheduler/step-builder.ts';
import type {
  EndedSample,
  EndReason,
  SequenceStep,
  StepRecord,
} from '../../rpc/telemetry-types.ts';
import { hostMicros } from '../support/host-clock.ts';
import { LossyQueue } from './lossy-queue.ts';
import { phaseOf } from './step-phase.ts';

/** Records that wait for one watcher. */
const CAPACITY = 256;
/** Ends that one record tells of; only idle engines have that many between two steps. */
const MAX_ENDED = 4096;

/** What a record says beside the step itself, as it is after it. */
export type StepContext = Pick<
  StepRecord,
  'running' | 'waiting' | 'kvBlocksUsed' | 'kvBlocks' | 'preemptions' | 'deviceBeganSeconds'
>;

interface Watcher {
  readonly detail: boolean;
  readonly queue: LossyQueue<StepRecord>;
}

/** Hands every step to all who watch, each through a bounded queue; costs nothing while nobody does. */
export class StepFeed {
  readonly #watchers = new Set<Watcher>();
  readonly #onDetail: (isWanted: boolean) => void;
  #ended: EndedSample[] = [];

  /** `onDetail` hears whether anybody wants the chips' own times. */
  constructor(onDetail: (isWanted: boolean) => void) {
    this.#onDetail = onDetail;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  ended(sequence: Sequence, reason: EndReason): void {
    if (!this.isWatched || this.#ended.length === MAX_ENDED) return;
    this.#ended.push(endedSample(sequence, reason));
  }

  publish(step: StepCompleted, context: () => StepContext): void {
    if (!this.isWatched) return;
    const record = { ...toRecord(step), ...context(), ended: this.#ended };
    this.#ended = [];
    const brief = { ...record, chips: [] };
    for (const { detail, queue } of this.#watchers) queue.push(detail ? record : brief);
  }

  async *watch(
    { detail }: { readonly detail: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<StepRecord, void, undefined> {
    const watcher = { detail, queue: new LossyQueue<StepRecord>(CAPACITY) };
    this.#watchers.add(watcher);
    this.#tellDetail();
    try {
      for await (const { value, lost } of watcher.queue.read(signal)) yield { ...value, lost };
    } finally {
      this.#watchers.delete(watcher);
      if (!this.isWatched) this.#ended = [];
      this.#tellDetail();
    }
  }

  #tellDetail(): void {
    this.#onDetail([...this.#watchers].some(({ detail }) => detail));
  }
}

type OfStep = Omit<StepRecord, keyof StepContext | 'ended'>;

function toRecord(event: StepCompleted): OfStep {
  const { step, epoch, parts, beganMicros, durationMicros, skewMicros, price, times } = event;
  return {
    step,
    epoch,
    beganMs: beganMicros / 1000,
    endedMs: (beganMicros + durationMicros) / 1000,
    skewMs: skewMicros / 1000,
    deviceSeconds: price?.seconds ?? 0,
    mfu: price?.mfu ?? 0,
    hbmBandwidth: price?.hbmUtilization ?? 0,
    linkBandwidth: price?.linkUtilization ?? 0,
    binds: price?.binds ?? '',
    sequences: parts.map(sequenceStep),
    chips: times.every((each) => each !== undefined) ? times : [],
    lost: 0,
  };
}

function sequenceStep(part: ScheduledSequence): SequenceStep {
  const { sequence, start, count, sample } = part;
  const { request, choice } = sequence;
  return {
    requestId: request.requestId,
    index: choice,
    tokens: count,
    start,
    phase: phaseOf(part),
    sampled: sample,
  };
}

/** A sample that never ran has waited all its time; one that was cut short lasts until now. */
function endedSample(sequence: Sequence, reason: EndReason): EndedSample {
  const { request, choice, times, cachedTokens, preemptions } = sequence;
  const isWhole = reason === 'stop' || reason === 'length';
  const end = isWhole && times.lastTokenMicros !== undefined ? times.lastTokenMicros : hostMicros();
  const admitted = times.admittedMicros ?? end;
  const first = times.firstTokenMicros ?? end;
  return {
    requestId: request.requestId,
    index: choice,
    reason,
    arrivedMs: times.arrivalMicros / 1000,
    queueMs: (admitted - times.arrivalMicros) / 1000,
    prefillMs: (first - admitted) / 1000,
    decodeMs: (end - first) / 1000,
    promptTokens: request.promptTokens.length,
    cachedTokens,
    generatedTokens: completionTokens(sequence),
    preemptions,
  };
}
