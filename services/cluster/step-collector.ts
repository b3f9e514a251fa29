import type { DrawnToken } from '../core/sampling/drawn-token.ts';
import { type PhantomTokens, phantomLogprobs } from '../core/sampling/phantom-tokens.ts';
import type { ScheduledStep } from '../core/scheduler/scheduler.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import { assert } from '../core/support/errors.ts';
import { drawRow, drawWholeRow } from './draw-row.ts';
import type { Logits, ShardSample, StepReport } from './messages.ts';
import { mergePhantomRows, phantomRows } from './phantom-shard.ts';
import { countPromptRows, mergePromptRows, type ToldPrompt } from './prompt-rows.ts';
import { areSoundLogprobs, isSoundSample } from './sample-check.ts';
import type { StepTimes } from './step-times.ts';
import { WholeRows } from './whole-rows.ts';

/**
 * What a report makes of a step; `divergent` means that the chips' reports do not belong together,
 * as no correct group's do.
 */
export type CollectorState = 'waiting' | 'divergent' | 'unproven' | 'complete';

/** Puts the chips' reports on one step together into the tokens that it drew. */
export class StepCollector {
  readonly step: number;
  readonly scheduled: ScheduledStep;
  readonly beganMicros: number;
  readonly #vocabSize: number;
  readonly #phantom: PhantomTokens | undefined;
  readonly #sampled: readonly ScheduledSequence[];
  readonly #reports: (StepReport | undefined)[];
  readonly #drawn: (DrawnToken | undefined)[];
  #toldPrompts: readonly ToldPrompt[] = [];
  #wholeRows: WholeRows | undefined;
  #problem = '';

  constructor(options: {
    readonly step: number;
    readonly scheduled: ScheduledStep;
    readonly ranks: number;
    readonly beganMicros: number;
    /** Tokens of the vocabulary. */
    readonly vocabSize: number;
    /** What the chips draw where they hold no weights. */
    readonly phantom?: PhantomTokens | undefined;
  }) {
    this.step = options.step;
    this.scheduled = options.scheduled;
    this.beganMicros = options.beganMicros;
    this.#vocabSize = options.vocabSize;
    this.#phantom = options.phantom;
    this.#sampled = options.scheduled.sequences.filter(({ sample }) => sample);
    this.#reports = new Array<undefined>(options.ranks).fill(undefined);
    this.#drawn = new Array<undefined>(this.#sampled.length).fill(undefined);
  }

  /**
   * The drawn token of every sampled sequence, in the order of the step, once `addReport` or
   * `addLogits` has returned `complete`.
   */
  get drawn(): readonly DrawnToken[] {
    assert(!this.#drawn.includes(undefined), 'the step is complete');
    return this.#drawn as DrawnToken[];
  }

  /** What the step found of prompts, in its order, once it is complete. */
  get toldPrompts(): readonly ToldPrompt[] {
    return this.#toldPrompts;
  }

  /** Indices of the sampled rows whose whole logits are needed. */
  get unproven(): readonly number[] {
    return this.#drawn.flatMap((drawn, sample) => (drawn === undefined ? [sample] : []));
  }

  /** The chips' own times by rank, where the step was traced. */
  get times(): readonly (StepTimes | undefined)[] {
    return this.#reports.map((report) => report?.times);
  }

  /** Ranks that are waited for. */
  get silent(): readonly number[] {
    if (this.#wholeRows !== undefined) return this.#wholeRows.missing;
    return this.#reports.flatMap((report, rank) => (report === undefined ? [rank] : []));
  }

  /** A sentence on what made the step `divergent`. */
  get problem(): string {
    return this.#problem;
  }

  /** Takes a report; one of no rank, or another one of the same, is ignored. */
  addReport(report: StepReport): CollectorState {
    const { rank } = report;
    if (rank >= this.#reports.length || this.#reports[rank] !== undefined) return 'waiting';
    this.#reports[rank] = report;
    if (!this.#isSound(report)) {
      return this.#diverge(`chip ${rank} reported other samples than step ${this.step} has`);
    }
    if (this.#reports.includes(undefined)) return 'waiting';
    const reports = this.#reports as StepReport[];
    if (reports.some(({ digest }) => digest !== report.digest)) {
      return this.#diverge(`the chips' activations differ after step ${this.step}`);
    }
    return this.#phantom === undefined ? this.#draw() : this.#drawPhantom(this.#phantom, reports);
  }

  /** Takes logits that `unproven` asked for; others are ignored. */
  addLogits(logits: Logits): 'waiting' | 'complete' {
    const row = this.#wholeRows?.add(logits);
    if (row === undefined) return 'waiting';
    const { sample } = logits;
    const drawn = drawWholeRow(this.#sampled[sample]!.sequence, this.#samplesOf(sample), row);
    if (drawn !== undefined && row.logits.length === this.#vocabSize) this.#drawn[sample] = drawn;
    else this.#wholeRows!.discard(sample);
    return this.#drawn.includes(undefined) ? 'waiting' : 'complete';
  }

  #draw(): CollectorState {
    const prompts = (this.#reports as StepReport[]).map(({ prompt }) => prompt);
    const told = mergePromptRows(this.scheduled.sequences, prompts);
    if (told === undefined) {
      return this.#diverge(`no chip has a prompt's token in its report on step ${this.step}`);
    }
    this.#toldPrompts = told;
    for (const [sample, { sequence }] of this.#sampled.entries()) {
      const drawn = drawRow(sequence, this.#samplesOf(sample));
      if (drawn === 'inconsistent') {
        return this.#diverge(`no token follows from the chips' reports on step ${this.step}`);
      }
      if (drawn !== 'unproven') this.#drawn[sample] = drawn;
    }
    const { unproven } = this;
    if (unproven.length === 0) return 'complete';
    this.#wholeRows = new WholeRows({ samples: unproven, ranks: this.#reports.length });
    return 'unproven';
  }

  #drawPhantom(phantom: PhantomTokens, reports: readonly StepReport[]): 'complete' {
    const byRank = reports.map(({ tokens }) => tokens);
    for (const [sample, token] of mergePhantomRows(byRank, this.#sampled.length).entries()) {
      const { logprobs } = this.#sampled[sample]!.sequence.request.sampling;
      this.#drawn[sample] = {
        token,
        logprobs: logprobs === undefined ? undefined : phantomLogprobs(phantom, token, logprobs),
      };
    }
    return 'complete';
  }

  #diverge(problem: string): 'divergent' {
    this.#problem = problem;
    return 'divergent';
  }

  #isSound({ rank, samples, prompt, tokens }: StepReport): boolean {
    const isPhantom = this.#phantom !== undefined;
    const count = isPhantom ? phantomRows(this.#sampled.length, rank, this.#reports.length) : 0;
    if (tokens.length !== count || !tokens.every((token) => token < this.#vocabSize)) return false;
    if (isPhantom) return samples.length === 0 && prompt.length === 0;
    return (
      prompt.length === countPromptRows(this.scheduled.sequences) &&
      prompt.every((logprobs) => areSoundLogprobs(logprobs, this.#vocabSize)) &&
      samples.length === this.#sampled.length &&
      this.#sampled.every(({ sequence }, index) =>
        isSoundSample(samples[index]!, sequence.request.sampling, this.#vocabSize),
      )
    );
  }

  #samplesOf(sample: number): ShardSample[] {
    return (this.#reports as StepReport[]).map(({ samples }) => samples[sample]!);
  }
}
