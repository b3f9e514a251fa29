import type { SequenceStep, StepRecord } from '../../client/index.ts';

/** A sample of a request, as the steps tell of it. */
export interface RequestRow {
  readonly requestId: string;
  /** Which of the request's samples. */
  readonly index: number;
  /** `waiting` where it ran, and was not part of the last step. */
  readonly phase: 'prefill' | 'decode' | 'waiting';
  /** Undefined where its prefill was not seen to its end. */
  readonly promptTokens: number | undefined;
  readonly outputTokens: number;
  readonly kvBlocks: number;
  /** Of its first step that was seen, in milliseconds since 1970. */
  readonly beganMs: number;
  readonly preemptions: number;
}

interface Sample {
  readonly requestId: string;
  readonly index: number;
  readonly beganMs: number;
  phase: 'prefill' | 'decode';
  promptTokens: number | undefined;
  outputTokens: number;
  computedTokens: number;
  preemptions: number;
  epoch: number;
  /** Counts all steps that the log took. */
  lastStep: number;
}

/** What runs and what was made to wait again, from the records of steps. */
export class RequestLog {
  readonly #samples = new Map<string, Sample>();
  #steps = 0;

  take(record: StepRecord): void {
    this.#steps++;
    for (const sequence of record.sequences) this.#takeSequence(sequence, record);
    // After the steps, since a sample ends in the record of its last one.
    for (const ended of record.ended) this.#samples.delete(keyOf(ended));
    // Who ended in a record that was lost would stay for ever.
    if (record.lost > 0) this.#forgetWaiting();
  }

  /** Nothing runs or waits any more, or another engine does. */
  clear(): void {
    this.#samples.clear();
  }

  rows(blockSize: number): readonly RequestRow[] {
    return [...this.#samples.values()].map((sample) => {
      const { requestId, index, computedTokens, lastStep } = sample;
      const isWaiting = lastStep < this.#steps;
      return {
        requestId,
        index,
        phase: isWaiting ? 'waiting' : sample.phase,
        promptTokens: sample.promptTokens,
        outputTokens: sample.outputTokens,
        kvBlocks: Math.ceil(computedTokens / Math.max(1, blockSize)),
        beganMs: sample.beganMs,
        preemptions: sample.preemptions,
      };
    });
  }

  #takeSequence(sequence: SequenceStep, { epoch, beganMs }: StepRecord): void {
    const { phase, start, tokens, sampled } = sequence;
    const key = keyOf(sequence);
    const sample = this.#samples.get(key) ?? newSample(sequence, { epoch, beganMs });
    this.#samples.set(key, sample);
    // A new epoch begins everything anew, which is nobody's turn to give way.
    if (start < sample.computedTokens && sample.epoch === epoch) sample.preemptions++;
    const endsPrompt = sampled && phase === 'prefill' && sample.outputTokens === 0;
    if (endsPrompt) sample.promptTokens = start + tokens;
    if (sampled) sample.outputTokens++;
    sample.epoch = epoch;
    sample.phase = phase;
    sample.computedTokens = start + tokens;
    sample.lastStep = this.#steps;
  }

  #forgetWaiting(): void {
    for (const [key, { lastStep }] of this.#samples) {
      if (lastStep < this.#steps) this.#samples.delete(key);
    }
  }
}

function newSample(
  { requestId, index, phase, start }: SequenceStep,
  { epoch, beganMs }: Pick<StepRecord, 'epoch' | 'beganMs'>,
): Sample {
  return {
    ...{ requestId, index, phase, beganMs, epoch },
    promptTokens: undefined,
    outputTokens: 0,
    computedTokens: start,
    preemptions: 0,
    lastStep: 0,
  };
}

function keyOf({ requestId, index }: { readonly requestId: string; readonly index: number }) {
  return `${requestId} ${index}`;
}
