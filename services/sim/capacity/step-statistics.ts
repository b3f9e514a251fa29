import type { Sequence } from '../../core/scheduler/request.ts';
import { completionTokens } from '../../core/scheduler/request.ts';
import type { ScheduledSequence } from '../../core/scheduler/step-builder.ts';
import type { ServingStatistics } from './serving-statistics.ts';

/** Tells statistics what the steps of schedulers did. */
export class StepStatistics {
  readonly serving: ServingStatistics;
  /** Parts of sequences that steps computed. */
  sequenceSteps = 0;

  constructor(serving: ServingStatistics) {
    this.serving = serving;
  }

  /** Takes a step whose tokens come at `nowMicros`, before the scheduler hears of them. */
  addStep(sequences: readonly ScheduledSequence[], nowMicros: number): void {
    let tokens = 0;
    // Most gaps of a step are equal, for its sequences were all in the one before.
    let gap = 0;
    let times = 0;
    for (const { sequence, sample } of sequences) {
      if (!sample) continue;
      tokens++;
      const { lastTokenMicros } = sequence.times;
      if (lastTokenMicros === undefined) continue;
      const own = nowMicros - lastTokenMicros;
      if (own !== gap && times > 0) {
        this.serving.addGaps(gap, times);
        times = 0;
      }
      gap = own;
      times++;
    }
    if (times > 0) this.serving.addGaps(gap, times);
    this.sequenceSteps += sequences.length;
    this.serving.countTokens(tokens, nowMicros);
  }

  /** Takes a sequence that has ended. */
  addSequence(sequence: Sequence): void {
    const { arrivalMicros, firstTokenMicros, lastTokenMicros } = sequence.times;
    this.serving.addRequest({
      inputTokens: sequence.request.promptTokens.length,
      outputTokens: completionTokens(sequence),
      ttftMicros: firstTokenMicros! - arrivalMicros,
      e2elMicros: lastTokenMicros! - arrivalMicros,
    });
  }
}
