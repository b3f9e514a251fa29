import type { EndedSample, StepRecord } from '../../client/index.ts';
import type { StepBar, StepsEvent } from '../../console/events.ts';

/** At most so often a second an event goes out: 15, what an eye can follow. */
const FRAME_MS = 66;
const MAX_STEPS = 128;
/** Rows that a reader can look at. */
const MAX_BATCH = 256;
const MAX_ENDED = 256;

/**
 * Gathers the steps of a fast engine into few events: the first of them goes out at once, so that no
 * step waits longer than `FRAME_MS`.
 */
export class StepFrames {
  readonly #send: (event: StepsEvent) => void;
  #sentMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #last: StepRecord | undefined;
  #steps: StepBar[] = [];
  #ended: EndedSample[] = [];
  #preemptions = 0;
  #lost = 0;

  constructor(send: (event: StepsEvent) => void) {
    this.#send = send;
  }

  take(record: StepRecord): void {
    this.#last = record;
    this.#steps.push(toBar(record));
    this.#ended.push(...record.ended);
    this.#preemptions += record.preemptions;
    this.#lost += record.lost;
    const waitMs = this.#sentMs + FRAME_MS - performance.now();
    if (waitMs <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), waitMs);
  }

  /** Forgets what has not been sent. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#steps = [];
    this.#ended = [];
    this.#preemptions = 0;
    this.#lost = 0;
  }

  #flush(): void {
    const { running, waiting, kvBlocksUsed, kvBlocks, sequences } = this.#last!;
    this.#sentMs = performance.now();
    this.#send({
      kind: 'steps',
      ...{ running, waiting, kvBlocksUsed, kvBlocks },
      steps: this.#steps.slice(-MAX_STEPS),
      batch: sequences.slice(0, MAX_BATCH),
      ended: this.#ended.slice(-MAX_ENDED),
      preemptions: this.#preemptions,
      lost: this.#lost,
    });
    this.clear();
  }
}

function toBar(record: StepRecord): StepBar {
  const { step, epoch, beganMs, endedMs, deviceSeconds, mfu, binds, sequences } = record;
  let prefillTokens = 0;
  let decodeTokens = 0;
  for (const { phase, tokens } of sequences) {
    if (phase === 'prefill') prefillTokens += tokens;
    else decodeTokens += tokens;
  }
  const size = sequences.length;
  return {
    ...{ step, epoch, beganMs, endedMs, deviceSeconds, mfu, binds },
    ...{ prefillTokens, decodeTokens, sequences: size },
  };
}
