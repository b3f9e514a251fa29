import { chooseAlgorithm } from '../core/collectives/algorithm.ts';
import { DirectAllReduce } from '../core/collectives/direct-all-reduce.ts';
import type { Exchange } from '../core/collectives/frame.ts';
import { MulticastAllReduce } from '../core/collectives/multicast-all-reduce.ts';
import { RowGather } from '../core/collectives/row-gather.ts';
import {
  type ScheduledExchange,
  type ScheduledStage,
  scheduleStages,
} from '../core/collectives/schedule.ts';
import type { Staging } from '../core/collectives/staging.ts';
import { ownerOfToken } from '../core/model/shard-plan.ts';
import { planStep } from '../core/model/step-plan.ts';
import { assert } from '../core/support/errors.ts';
import type { Shard } from '../shard/shard.ts';
import type { SegmentWork } from './chip-effects.ts';
import type { ChipSequences } from './chip-sequences.ts';
import type { ExchangeRunner } from './exchange-runner.ts';
import type { StepCommand } from './messages.ts';

/** Walks one step on one chip: segment, exchange, segment, … until the logits are there. */
export class StepRunner {
  readonly command: StepCommand;
  readonly samples: number;
  readonly #shard: Shard;
  readonly #exchanges: ExchangeRunner;
  readonly #staging: Staging;
  readonly #compute: (work: SegmentWork) => void;
  readonly #stages: readonly ScheduledStage[];
  readonly #rows: number;
  #stage = 0;
  #waiting = false;
  #advancing = false;

  constructor(options: {
    readonly command: StepCommand;
    readonly shard: Shard;
    readonly sequences: ChipSequences;
    readonly exchanges: ExchangeRunner;
    readonly staging: Staging;
    readonly compute: (work: SegmentWork) => void;
  }) {
    this.command = options.command;
    this.#shard = options.shard;
    this.#exchanges = options.exchanges;
    this.#staging = options.staging;
    this.#compute = options.compute;
    const { rows, samples } = this.#shard.writeBatch(
      options.command.sequences.map(({ id, tokens, start, sample }) => ({
        tokens,
        start,
        sample,
        blocks: options.sequences.get(id).blocks,
      })),
    );
    this.#rows = rows;
    this.samples = samples;
    this.#embedOwnTokens();
    const { config } = this.#shard.layout.plan;
    this.#stages = scheduleStages(planStep(config), rows, this.#shard.hiddenStride);
  }

  get done(): boolean {
    return this.#stage === this.#stages.length && !this.#waiting;
  }

  /** Rows of activations that the step computes, [rows, hidden stride]. */
  get hidden(): Float32Array {
    return this.#shard.hidden.subarray(0, this.#rows * this.#shard.hiddenStride);
  }

  /** Goes on until something has to be waited for. Completions may arrive while it runs. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    while (!this.#waiting && this.#stage < this.#stages.length) {
      this.#begin(this.#stages[this.#stage]!);
    }
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
    if (stage.kind === 'segment') {
      const rows = stage.segment === 'head' ? this.samples : this.#rows;
      this.#compute({ segment: stage.segment, layer: stage.layer, rows });
      return;
    }
    this.#exchanges.begin(stage.exchange, this.#exchangeOf(stage.exchange));
  }

  #exchangeOf(scheduled: ScheduledExchange): Exchange {
    const { plan } = this.#shard.layout;
    const { rank, tensorParallel: ranks } = plan;
    const stride = this.#shard.hiddenStride;
    const { rows } = scheduled;
    const slice = (floats: Float32Array): Float32Array =>
      floats.subarray(rows.start * stride, rows.end * stride);
    const target = slice(this.#shard.hidden);
    if (scheduled.operation === 'embedding') {
      const owners = this.#tokens()
        .slice(rows.start, rows.end)
        .map((token) => ownerOfToken(plan.config, ranks, token));
      return new RowGather({ ranks, rank, owners, target, stride, lockstep: scheduled.split });
    }
    const partial = slice(this.#shard.partialOf(scheduled.operation));
    const options = { ranks, rank, target, partial, staging: this.#staging };
    const algorithm = chooseAlgorithm(ranks, 4 * target.length, scheduled.index);
    return algorithm.kind === 'multicast'
      ? new MulticastAllReduce(options)
      : new DirectAllReduce({ ...options, reducers: algorithm.reducers });
  }

  #embedOwnTokens(): void {
    const { tokens } = this.#shard.layout.plan;
    this.#tokens().forEach((token, row) => {
      if (token >= tokens.start && token < tokens.end) this.#shard.embed(token, row);
    });
  }

  #tokens(): number[] {
    return this.command.sequences.flatMap((sequence) => sequence.tokens);
  }
}
