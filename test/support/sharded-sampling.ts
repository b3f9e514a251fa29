import { ChipSequences } from '../../services/cluster/chip-sequences.ts';
import type { Logits, StepCommand, StepReport } from '../../services/cluster/messages.ts';
import { ShardSampler } from '../../services/cluster/shard-sampler.ts';
import { StepCollector } from '../../services/cluster/step-collector.ts';
import { stepSequence } from '../../services/cluster/step-sequence.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import { planShard } from '../../services/core/model/shard-plan.ts';
import type { DrawnToken } from '../../services/core/sampling/drawn-token.ts';
import type { TokenMask } from '../../services/core/sampling/token-mask.ts';
import type { ScheduledSequence } from '../../services/core/scheduler/step-builder.ts';
import { planLayout } from '../../services/shard/layout.ts';
import { Shard } from '../../services/shard/shard.ts';
import { decodeCommand, encodeCommand } from '../../services/wire/command-codec.ts';
import { decodeReport, encodeReport } from '../../services/wire/report-codec.ts';

interface Chip {
  readonly shard: Shard;
  readonly sequences: ChipSequences;
  readonly sampler: ShardSampler;
}

const COUNTERS = {
  steps: 0,
  bytesSent: 0,
  bytesReceived: 0,
  computeMicros: 0,
  communicationMicros: 0,
  droppedFrames: 0,
};

/** The sampling of a group of chips, wire included, over logits that the test chooses instead of a model's. */
export class ShardedSampling {
  /** Rows whose whole logits were needed. */
  unproven = 0;
  readonly #config: ModelConfig;
  readonly #chips: readonly Chip[];
  #step = 0;

  constructor(config: ModelConfig, tp: number) {
    this.#config = config;
    const options = {
      precision: 'f32',
      kvFormat: 'f32',
      blockSize: 4,
      kvBlocks: 4,
      maxRows: 8,
      maxSequences: 4,
      threads: 1,
    } as const;
    this.#chips = Array.from({ length: tp }, (_, rank) => {
      const layout = planLayout(planShard(config, tp, rank), options, 0);
      const shard = new Shard(layout, new ArrayBuffer(layout.bytes));
      const sequences = new ChipSequences(layout.plan.tokens);
      return { shard, sequences, sampler: new ShardSampler(shard, sequences) };
    });
  }

  /**
   * Carries out the sampling of one step; `logits` has one row of the whole vocabulary for each sampled sequence,
   * `masks` the mask of each scheduled one, where it has any.
   */
  draw(
    scheduled: readonly ScheduledSequence[],
    logits: readonly Float32Array[],
    masks: readonly (TokenMask | undefined)[] = [],
  ): readonly DrawnToken[] {
    const step = ++this.#step;
    const sequences = scheduled.map((each, index) =>
      stepSequence(each, { mask: masks[index], readsTokens: true }),
    );
    const command = overWire({
      kind: 'step',
      epoch: 1,
      step,
      released: [],
      sequences,
      traced: false,
    });
    const collector = new StepCollector({
      step,
      scheduled: { sequences: scheduled, released: [] },
      ranks: this.#chips.length,
      beganMicros: 0,
      vocabSize: this.#config.vocabSize,
    });
    let state = 'waiting';
    this.#chips.forEach((chip, rank) => {
      state = collector.addReport(reportOf(chip, { rank, command, logits }));
    });
    if (state === 'unproven') {
      this.unproven += collector.unproven.length;
      state = this.#addLogits(collector);
    }
    if (state !== 'complete') throw new Error(`the step is ${state}`);
    return collector.drawn;
  }

  /** Rows come in the order of the chips' fancy: the last rank's first. */
  #addLogits(collector: StepCollector): string {
    let state = 'waiting';
    const { step, unproven } = collector;
    for (const [rank, { sampler }] of [...this.#chips.entries()].reverse()) {
      for (const sample of unproven) {
        const row = sampler.rowOf(sample)!;
        const report: Logits = { kind: 'shardLogits', rank, epoch: 1, step, sample, ...row };
        state = collector.addLogits(decodeReport(encodeReport(report)) as Logits);
      }
    }
    return state;
  }
}

function overWire(command: StepCommand): StepCommand {
  return decodeCommand(encodeCommand(command)) as StepCommand;
}

function reportOf(
  { shard, sequences, sampler }: Chip,
  options: {
    readonly rank: number;
    readonly command: StepCommand;
    readonly logits: readonly Float32Array[];
  },
): StepReport {
  const { rank, command, logits } = options;
  const { start, end } = shard.layout.plan.tokens;
  sequences.update(command);
  for (const [sample, row] of logits.entries()) {
    shard.logitsOf(sample).set(row.subarray(start, end));
  }
  const samples = sampler.sampleStep(command);
  const identity = { rank, epoch: 1, step: command.step, digest: 0, counters: COUNTERS };
  return decodeReport(
    encodeReport({
      ...{ kind: 'report', ...identity, samples, prompt: [], tokens: [], times: undefined },
    }),
  ) as StepReport;
}
