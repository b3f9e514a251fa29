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
import { ownerOfToken, type Range } from '../core/model/shard-plan.ts';
import { planStep } from '../core/model/step-plan.ts';
import { digestFloats } from '../core/support/digest.ts';
import { assert } from '../core/support/errors.ts';
import type { Shard } from '../shard/shard.ts';
import type { ChipSequences } from './chip-sequences.ts';
import type { PromptTargets, StepCommand } from './messages.ts';
import type { StepProgram, StepResult } from './shard-program.ts';
import type { ShardSampler } from './shard-sampler.ts';

export interface ExactStepOptions {
  readonly command: StepCommand;
  readonly shard: Shard;
  readonly sequences: ChipSequences;
  readonly sampler: ShardSampler;
  readonly staging: Staging;
}

/** A step on a shard's memory: its inputs are written there, its exchanges work on it. */
export class ExactStep implements StepProgram {
  readonly stages: readonly ScheduledStage[];
  readonly rows: number;
  readonly headRows: number;
  readonly #options: ExactStepOptions;
  readonly #tokens: readonly number[];

  constructor(options: ExactStepOptions) {
    const { command, shard, sequences } = options;
    this.#options = options;
    this.#tokens = command.sequences.flatMap(({ tokens }) => tokens);
    const { rows, headRows } = shard.writeBatch(
      command.sequences.map(({ id, tokens, start, sample, targets }) => ({
        tokens,
        start,
        sample,
        blocks: sequences.get(id).blocks,
        ...(targets && { logitsAt: rowsBefore(targets) }),
      })),
    );
    this.rows = rows;
    this.headRows = headRows;
    this.#embedOwnTokens();
    this.stages = scheduleStages(planStep(shard.layout.plan.config), rows, shard.hiddenStride);
  }

  exchangeOf(scheduled: ScheduledExchange): Exchange {
    const { shard, staging } = this.#options;
    const { plan } = shard.layout;
    const { rank, tensorParallel: ranks } = plan;
    const stride = shard.hiddenStride;
    const { rows, operation } = scheduled;
    const slice = (floats: Float32Array): Float32Array =>
      floats.subarray(rows.start * stride, rows.end * stride);
    const target = slice(shard.hidden);
    if (operation === 'embedding') {
      const owners = this.#tokens
        .slice(rows.start, rows.end)
        .map((token) => ownerOfToken(plan.config, ranks, token));
      return new RowGather({ ranks, rank, owners, target, stride, lockstep: scheduled.split });
    }
    assert(operation !== 'step', 'arithmetic is exchanged piece by piece');
    const partial = slice(shard.partialOf(operation));
    const options = { ranks, rank, target, partial, staging };
    const algorithm = chooseAlgorithm(ranks, 4 * target.length, scheduled.index);
    return algorithm.kind === 'multicast'
      ? new MulticastAllReduce(options)
      : new DirectAllReduce({ ...options, reducers: algorithm.reducers });
  }

  result(): StepResult {
    const { command, shard, sampler } = this.#options;
    const samples = sampler.sampleStep(command);
    const prompt = sampler.promptLogprobs(command);
    const hidden = shard.hidden.subarray(0, this.rows * shard.hiddenStride);
    return { digest: digestFloats(hidden), samples, prompt, tokens: [] };
  }

  #embedOwnTokens(): void {
    const { shard } = this.#options;
    const { tokens } = shard.layout.plan;
    this.#tokens.forEach((token, row) => {
      if (token >= tokens.start && token < tokens.end) shard.embed(token, row);
    });
  }
}

/** Positions of the rows that say how likely the targets are. */
function rowsBefore({ start, tokens }: PromptTargets): Range {
  return { start: start - 1, end: start - 1 + tokens.length };
}
