import type { StepCompleted } from '../../cluster/coordinator-effects.ts';
import { phaseOf } from './step-phase.ts';

/** What is kept of a step until it is counted: not its sequences. */
export interface CountedStep
  extends Pick<
    StepCompleted,
    'tokens' | 'sequences' | 'beganMicros' | 'durationMicros' | 'skewMicros' | 'shape' | 'price'
  > {
  /** Parts that prefill, and their tokens. */
  readonly prefills: number;
  readonly prefillTokens: number;
  /** Tokens of prompts, of which a preemption may have lost some before. */
  readonly promptTokens: number;
  /** Parts that draw a token. */
  readonly sampled: number;
}

const MAX_STEPS = 64;

/**
 * Steps that have not been counted yet. Whatever is done once every few milliseconds finds its code and its
 * data gone from the processor's caches, and takes ten times as long as when it is done many times in a row.
 */
export class StepBacklog {
  readonly #count: (step: CountedStep) => void;
  readonly #steps: CountedStep[] = [];

  /** `count` takes every step once, in order, before anybody reads what it counts. */
  constructor(count: (step: CountedStep) => void) {
    this.#count = count;
  }

  add(event: StepCompleted): void {
    this.#steps.push(withoutSequences(event));
    if (this.#steps.length === MAX_STEPS) this.catchUp();
  }

  /** To be called before a reading. */
  catchUp(): void {
    for (const step of this.#steps) this.#count(step);
    this.#steps.length = 0;
  }
}

/** Counts the parts in one walk. */
function withoutSequences(event: StepCompleted): CountedStep {
  let prefills = 0;
  let prefillTokens = 0;
  let promptTokens = 0;
  let sampled = 0;
  for (const part of event.parts) {
    const { start, count, sample, sequence } = part;
    if (sample) sampled++;
    if (phaseOf(part) === 'decode') continue;
    prefills++;
    prefillTokens += count;
    promptTokens += Math.max(0, Math.min(count, sequence.request.promptTokens.length - start));
  }
  return {
    tokens: event.tokens,
    sequences: event.sequences,
    beganMicros: event.beganMicros,
    durationMicros: event.durationMicros,
    skewMicros: event.skewMicros,
    shape: event.shape,
    price: event.price,
    prefills,
    prefillTokens,
    promptTokens,
    sampled,
  };
}
