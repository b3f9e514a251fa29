import type { ScheduledStage } from '../core/collectives/schedule.ts';
import { assert } from '../core/support/errors.ts';
import type { SegmentWork } from './chip-effects.ts';
import type { ExchangeRunner } from './exchange-runner.ts';
import type { StepCommand } from './messages.ts';
import type { StepProgram, StepResult } from './shard-program.ts';

/** Walks one step on one chip: segment, exchange, segment, … until the logits are there. */
export class StepRunner {
  readonly command: StepCommand;
  readonly #program: StepProgram;
  readonly #exchanges: ExchangeRunner;
  readonly #compute: (work: SegmentWork) => void;
  #stage = 0;
  #waiting = false;
  #advancing = false;

  constructor(options: {
    readonly command: StepCommand;
    readonly program: StepProgram;
    readonly exchanges: ExchangeRunner;
    readonly compute: (work: SegmentWork) => void;
  }) {
    this.command = options.command;
    this.#program = options.program;
    this.#exchanges = options.exchanges;
    this.#compute = options.compute;
  }

  get done(): boolean {
    return this.#stage === this.#program.stages.length && !this.#waiting;
  }

  /** What came of the step, once it is done. */
  result(): StepResult {
    return this.#program.result();
  }

  /** Goes on until something has to be waited for. Completions may arrive while it runs. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    const { stages } = this.#program;
    while (!this.#waiting && this.#stage < stages.length) this.#begin(stages[this.#stage]!);
    this.#advancing = false;
  }

  /** The segment or exchange that was begun last is complete. */
  stageFinished(): void {
    assert(this.#waiting, 'a stage was running');
    this.#waiting = false;
    this.#stage++;
    this.advance();
  }

  #begin(stage: ScheduledStage): void {
    this.#waiting = true;
    if (stage.kind === 'exchange') {
      this.#exchanges.begin(stage.exchange, this.#program.exchangeOf(stage.exchange));
      return;
    }
    const { rows, headRows } = this.#program;
    const isHead = stage.segment === 'head';
    this.#compute({
      segment: stage.segment,
      layer: stage.layer,
      rows: isHead ? headRows : rows,
    });
  }
}
