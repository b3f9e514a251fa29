import {
  type Candidate,
  type Mass,
  mergeMasses,
  precedes,
  topOfLeaf,
} from '../core/sampling/candidates.ts';
import type { DrawnToken } from '../core/sampling/drawn-token.ts';
import { drawFromNucleus } from '../core/sampling/nucleus.ts';
import type { SamplingParams } from '../core/sampling/params.ts';
import type { ScheduledStep } from '../core/scheduler/scheduler.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import { assert } from '../core/support/errors.ts';
import type { Logits, ShardSample, StepReport } from './messages.ts';

/** Puts the chips' reports on one step together into the tokens that it drew. */
export class StepCollector {
  readonly step: number;
  readonly scheduled: ScheduledStep;
  readonly beganMicros: number;
  readonly #sampled: readonly ScheduledSequence[];
  readonly #reports: (StepReport | undefined)[];
  readonly #tokens = new Map<number, number>();
  #unproven: number[] = [];
  #logits: (Logits | undefined)[];

  constructor(options: {
    readonly step: number;
    readonly scheduled: ScheduledStep;
    readonly ranks: number;
    readonly beganMicros: number;
  }) {
    this.step = options.step;
    this.scheduled = options.scheduled;
    this.beganMicros = options.beganMicros;
    this.#sampled = options.scheduled.sequences.filter(({ sample }) => sample);
    this.#reports = new Array<undefined>(options.ranks).fill(undefined);
    this.#logits = new Array<undefined>(options.ranks).fill(undefined);
  }

  /**
   * The drawn token of every sampled sequence, in the order of the step, once `addReport` or
   * `addLogits` has returned `complete`.
   */
  get drawn(): readonly DrawnToken[] {
    return this.#sampled.map(({ sequence }) => ({
      token: this.#tokens.get(sequence.id)!,
      logprobs: undefined,
    }));
  }

  /** Indices of the sampled rows whose whole logits are needed. */
  get unproven(): readonly number[] {
    return this.#unproven;
  }

  /** Ranks that have not reported. */
  get silent(): readonly number[] {
    const awaited = this.#unproven.length > 0 ? this.#logits : this.#reports;
    return awaited.flatMap((report, rank) => (report === undefined ? [rank] : []));
  }

  /**
   * Takes a report; `divergent` means that the chips' activations differ, which no correct group
   * does.
   */
  addReport(report: StepReport): 'waiting' | 'divergent' | 'unproven' | 'complete' {
    this.#reports[report.rank] = report;
    if (this.#reports.includes(undefined)) return 'waiting';
    const reports = this.#reports as StepReport[];
    if (reports.some(({ digest }) => digest !== report.digest)) return 'divergent';
    this.#sampled.forEach((scheduled, index) => {
      const token = this.#draw(
        scheduled,
        reports.map(({ samples }) => samples[index]!),
      );
      if (token === undefined) this.#unproven.push(index);
      else this.#tokens.set(scheduled.sequence.id, token);
    });
    return this.#unproven.length > 0 ? 'unproven' : 'complete';
  }

  /** Takes the logits that `unproven` asked for. */
  addLogits(logits: Logits): 'waiting' | 'complete' {
    this.#logits[logits.rank] = logits;
    if (this.#logits.includes(undefined)) return 'waiting';
    this.#unproven.forEach((sample, row) => {
      const { sequence } = this.#sampled[sample]!;
      const whole = concatenate((this.#logits as Logits[]).map(({ rows }) => rows[row]!));
      const leaf = topOfLeaf(whole, { start: 0, end: whole.length }, whole.length);
      const mass = this.#massOf(sample, sequence.request.sampling);
      const draw = drawOf(sequence.request.sampling, sequence.tokens.length);
      const token = drawFromNucleus([leaf], mass, sequence.request.sampling, draw);
      assert(token !== undefined, 'whole logits prove every nucleus');
      this.#tokens.set(sequence.id, token);
    });
    return 'complete';
  }

  #draw({ sequence }: ScheduledSequence, samples: readonly ShardSample[]): number | undefined {
    const { sampling } = sequence.request;
    const candidates: Candidate[] = [];
    const leaves = samples.flatMap((sample) => {
      if (sample.kind === 'nucleus') return sample.leaves;
      if (sample.candidate !== undefined) candidates.push(sample.candidate);
      return [];
    });
    if (leaves.length === 0) {
      return candidates.reduce((best, next) => (precedes(next, best) ? next : best)).token;
    }
    const mass = mergeMasses(samples.map(massOfSample), sampling.temperature);
    return drawFromNucleus(leaves, mass, sampling, drawOf(sampling, sequence.tokens.length));
  }

  #massOf(sample: number, sampling: SamplingParams): Mass {
    const masses = (this.#reports as StepReport[]).map(({ samples }) =>
      massOfSample(samples[sample]!),
    );
    return mergeMasses(masses, sampling.temperature);
  }
}

function drawOf(
  sampling: SamplingParams,
  position: number,
): {
  seed: number;
  choice: number;
  position: number;
} {
  return { seed: sampling.seed, choice: 0, position };
}

function massOfSample(sample: ShardSample): Mass {
  assert(sample.kind === 'nucleus', 'all shards answer a row in the same way');
  return sample.mass;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
