import { type Range, rangeSize } from '../core/model/shard-plan.ts';
import {
  CANDIDATES_PER_LEAF,
  drawFromShard,
  massOf,
  mergeMasses,
  topOfLeaf,
  topTokens,
} from '../core/sampling/candidates.ts';
import { applyLogitRules, changesLogits, type LogitRules } from '../core/sampling/logit-rules.ts';
import type { ShardLogprobs } from '../core/sampling/logprobs.ts';
import { needsNucleus, type SamplingParams } from '../core/sampling/params.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { Shard } from '../shard/shard.ts';
import type { ChipSequence, ChipSequences } from './chip-sequences.ts';
import type { ShardDraw, ShardSample, StepCommand } from './messages.ts';

/** A row of a shard's logits, [tokens of the shard]. */
export interface LogitsRow {
  /** As the draw sees them. */
  readonly logits: Float32Array;
  /** As the model gave them; undefined where they are the same, or nobody asked for them. */
  readonly raw: Float32Array | undefined;
}

/** Says what this chip's part of the vocabulary holds on the sampled rows of a step. */
export class ShardSampler {
  readonly #shard: Shard;
  readonly #sequences: ChipSequences;
  /** Of the last step. */
  #rows: LogitsRow[] = [];

  constructor(shard: Shard, sequences: ChipSequences) {
    this.#shard = shard;
    this.#sequences = sequences;
  }

  /** Applies what changes the logits in place, and samples; one for every sampled row, in order. */
  sampleStep(command: StepCommand): ShardSample[] {
    this.#rows = [];
    return command.sequences
      .filter(({ sample }) => sample)
      .map(({ id, mask }) => this.#sampleRow(this.#sequences.get(id), mask));
  }

  /** What the rows before its targets say of them, in order; after `sampleStep`. */
  promptLogprobs(command: StepCommand): ShardLogprobs[] {
    let row = this.#rows.length;
    return command.sequences.flatMap(({ id, targets }) => {
      const count = this.#sequences.get(id).admission.sampling.promptLogprobs ?? 0;
      return (targets?.tokens ?? []).map((token) =>
        this.#logprobsOf(this.#shard.logitsOf(row++), [token], count),
      );
    });
  }

  /** A sampled row of the last step; undefined where it had none of that index. */
  rowOf(sample: number): LogitsRow | undefined {
    return this.#rows[sample];
  }

  /** Forgets the last step, whose logits are gone. */
  clear(): void {
    this.#rows = [];
  }

  #sampleRow(sequence: ChipSequence, mask: TokenMask | undefined): ShardSample {
    const { sampling, choice } = sequence.admission;
    const rules = rulesOf(sequence, mask);
    const row = this.#applyRules(this.#shard.logitsOf(this.#rows.length), rules);
    this.#rows.push(row);
    const draw = needsNucleus(sampling)
      ? this.#nucleusOf(row.logits, sampling.temperature)
      : this.#candidateOf(row.logits, sampling, { choice, position: sequence.position });
    if (sampling.logprobs === undefined) return { draw, logprobs: undefined };
    const logprobs = this.#logprobsOf(row.raw ?? row.logits, tokensOf(draw), sampling.logprobs);
    return { draw, logprobs };
  }

  #applyRules(logits: Float32Array, rules: LogitRules): LogitsRow {
    if (!changesLogits(rules)) return { logits, raw: undefined };
    const raw = rules.params.logprobs === undefined ? undefined : logits.slice();
    applyLogitRules(logits, this.#tokens.start, rules);
    return { logits, raw };
  }

  #candidateOf(
    logits: Float32Array,
    sampling: SamplingParams,
    draw: { readonly choice: number; readonly position: number },
  ): ShardDraw {
    const { seed } = sampling;
    const candidate = drawFromShard(logits, this.#tokens.start, sampling, { seed, ...draw });
    return { kind: 'candidate', candidate };
  }

  #nucleusOf(logits: Float32Array, temperature: number): ShardDraw {
    const leaves = this.#leavesOf(logits);
    const masses = leaves.map((leaf) => massOf(leaf.logits, temperature));
    return {
      kind: 'nucleus',
      mass: mergeMasses(masses, temperature),
      leaves: leaves.map((leaf) => topOfLeaf(leaf.logits, leaf.tokens, CANDIDATES_PER_LEAF)),
    };
  }

  /** Of the wanted tokens those that the shard has, and its `count` likeliest. */
  #logprobsOf(raw: Float32Array, wanted: readonly number[], count: number): ShardLogprobs {
    const { start, end } = this.#tokens;
    const masses = this.#leavesOf(raw).map(({ logits }) => massOf(logits, 1));
    const likeliest = topTokens(raw, start, count).map(({ token }) => token);
    const own = wanted.filter((token) => token >= start && token < end);
    const tokens = new Set([...own, ...likeliest]);
    return {
      mass: mergeMasses(masses, 1),
      logits: Array.from(tokens, (token) => ({ token, score: raw[token - start]! })),
    };
  }

  #leavesOf(logits: Float32Array): { readonly tokens: Range; readonly logits: Float32Array }[] {
    return this.#shard.layout.plan.leaves.map(({ tokens }) => {
      const start = tokens.start - this.#tokens.start;
      return { tokens, logits: logits.subarray(start, start + rangeSize(tokens)) };
    });
  }

  get #tokens(): Range {
    return this.#shard.layout.plan.tokens;
  }
}

function rulesOf(
  { admission, position, counts }: ChipSequence,
  allowed: TokenMask | undefined,
): LogitRules {
  const { sampling, promptLength, minTokens, stopTokenIds } = admission;
  const isTooShort = position - promptLength < minTokens;
  return { params: sampling, masked: isTooShort ? stopTokenIds : [], allowed, counts };
}

/** Tokens that may be drawn, as far as the shard names them. */
function tokensOf(draw: ShardDraw): number[] {
  const candidates =
    draw.kind === 'nucleus' ? draw.leaves.flatMap((leaf) => leaf.candidates) : [draw.candidate];
  return candidates.flatMap((candidate) => candidate?.token ?? []);
}
