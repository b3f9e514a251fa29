import { Staging } from '../core/collectives/staging.ts';
import type { Shard } from '../shard/shard.ts';
import { ChipSequences } from './chip-sequences.ts';
import { ExactStep } from './exact-step.ts';
import type { StepCommand } from './messages.ts';
import type { ShardProgram, StepProgram } from './shard-program.ts';
import { type LogitsRow, ShardSampler } from './shard-sampler.ts';
import { checkStep, type StepFault, type StepLimits } from './step-check.ts';

/** Executes steps with arithmetic on a shard's memory. */
export class ExactProgram implements ShardProgram {
  readonly #shard: Shard;
  readonly #limits: StepLimits;
  readonly #sequences: ChipSequences;
  readonly #sampler: ShardSampler;
  readonly #staging = new Staging();

  constructor(shard: Shard) {
    this.#shard = shard;
    this.#limits = stepLimits(shard);
    this.#sequences = new ChipSequences(shard.layout.plan.tokens);
    this.#sampler = new ShardSampler(shard, this.#sequences);
  }

  get rank(): number {
    return this.#shard.layout.plan.rank;
  }

  get ranks(): number {
    return this.#shard.layout.plan.tensorParallel;
  }

  faultOf(command: StepCommand): StepFault | undefined {
    return checkStep(command, this.#sequences, this.#limits);
  }

  begin(command: StepCommand): StepProgram {
    this.#sequences.update(command);
    this.#sampler.clear();
    return new ExactStep({
      command,
      shard: this.#shard,
      sequences: this.#sequences,
      sampler: this.#sampler,
      staging: this.#staging,
    });
  }

  rowOf(sample: number): LogitsRow | undefined {
    return this.#sampler.rowOf(sample);
  }

  clear(): void {
    this.#sequences.clear();
    this.#sampler.clear();
  }
}

/** What a step of a shard may ask for. */
export function stepLimits({ layout }: Pick<Shard, 'layout'>): StepLimits {
  const { options, plan, blocksPerSequence } = layout;
  const { maxRows, maxSequences, blockSize, kvBlocks } = options;
  const { maxPositions, vocabSize } = plan.config;
  return {
    ...{ maxRows, maxSequences, maxPositions, vocabSize },
    ...{ blockSize, kvBlocks, blocksPerSequence },
    readsTokens: true,
  };
}
