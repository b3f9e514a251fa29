import type { Exchange } from '../core/collectives/frame.ts';
import { RingExchange } from '../core/collectives/ring-exchange.ts';
import type { ScheduledStage } from '../core/collectives/schedule.ts';
import { drawPhantomToken } from '../core/sampling/phantom-tokens.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import { digestWords } from '../core/support/digest.ts';
import { shapeOfStep } from '../core/timing/shape-of-step.ts';
import { type ChipSequence, ChipSequences } from './chip-sequences.ts';
import type { StepCommand } from './messages.ts';
import type { PhantomShard } from './phantom-shard.ts';
import type { ShardProgram, StepProgram, StepResult } from './shard-program.ts';
import { checkStep, type StepFault } from './step-check.ts';

/** The one stage of a phantom's step: an exchange with its neighbours. */
const STAGES: readonly ScheduledStage[] = [
  {
    kind: 'exchange',
    exchange: {
      index: 0,
      operation: 'step',
      layer: 0,
      rows: { start: 0, end: 0 },
      split: false,
    },
  },
];

/** Executes steps without arithmetic: says what they would move, and draws from counters. */
export class PhantomProgram implements ShardProgram {
  readonly #shard: PhantomShard;
  readonly #sequences = new ChipSequences(undefined);

  constructor(shard: PhantomShard) {
    this.#shard = shard;
  }

  get rank(): number {
    return this.#shard.rank;
  }

  get ranks(): number {
    return this.#shard.ranks;
  }

  faultOf(command: StepCommand): StepFault | undefined {
    return checkStep(command, this.#sequences, this.#shard.limits);
  }

  begin(command: StepCommand): StepProgram {
    this.#sequences.update(command);
    return new PhantomStep(command, this.#shard, this.#sequences);
  }

  rowOf(): undefined {
    return undefined;
  }

  clear(): void {
    this.#sequences.clear();
  }
}

class PhantomStep implements StepProgram {
  readonly stages = STAGES;
  readonly rows: number;
  readonly headRows: number;
  readonly #command: StepCommand;
  readonly #shard: PhantomShard;
  readonly #sequences: ChipSequences;

  constructor(command: StepCommand, shard: PhantomShard, sequences: ChipSequences) {
    this.#command = command;
    this.#shard = shard;
    this.#sequences = sequences;
    this.rows = command.sequences.reduce((sum, { count }) => sum + count, 0);
    this.headRows = command.sequences.reduce((sum, { sample }) => sum + Number(sample), 0);
  }

  exchangeOf(): Exchange {
    const { rank, ranks } = this.#shard;
    const modelledBytes = this.#shard.linkBytes(shapeOfStep(this.#command.sequences));
    return new RingExchange({ rank, ranks, modelledBytes });
  }

  /** The digest is of what the chip believes to have computed, so that chips that differ show. */
  result(): StepResult {
    const { rank, ranks } = this.#shard;
    const { sequences } = this.#command;
    const computed = new Uint32Array(2 * sequences.length);
    const tokens: number[] = [];
    let at = 0;
    let row = 0;
    for (const { id, sample, mask } of sequences) {
      const sequence = this.#sequences.get(id);
      computed[at++] = id;
      computed[at++] = sequence.position;
      if (sample && row++ % ranks === rank) tokens.push(this.#draw(sequence, mask));
    }
    return { digest: digestWords(computed), samples: [], prompt: [], tokens };
  }

  #draw({ admission, position }: ChipSequence, mask: TokenMask | undefined): number {
    const { choice, promptLength, minTokens, stopTokenIds, sampling } = admission;
    const sequence = { seed: sampling.seed, choice, promptLength, minTokens, stopTokenIds };
    return drawPhantomToken(this.#shard.tokens, sequence, position, mask);
  }
}
