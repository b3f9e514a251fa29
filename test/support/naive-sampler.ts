import type { DrawLogprobs, DrawnToken } from '../../services/core/sampling/drawn-token.ts';
import type { SamplingParams } from '../../services/core/sampling/params.ts';

/** A sequence whose next token is drawn. */
export interface NaiveSequence {
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
  readonly minTokens: number;
  readonly stopTokenIds: readonly number[];
  readonly sampling: SamplingParams;
  readonly choice: number;
  /** The tokens that may be drawn, whatever their number; all where absent. */
  readonly allowed?: ReadonlySet<number> | undefined;
}

/** A drawn token, and how near a threshold came to a probability, where rounding could decide. */
export interface NaiveDraw extends DrawnToken {
  readonly margin: number;
}

interface Scored {
  readonly token: number;
  readonly score: number;
}

/**
 * One draw by the definitions of its rules over the whole vocabulary, which is copied, sorted and normalised each
 * time; it shares no code with what it is compared with.
 */
export function drawNaively(raw: Float32Array, sequence: NaiveSequence): NaiveDraw {
  const { sampling, choice, prompt, generated } = sequence;
  const sorted = sort(changed(raw, sequence));
  const logprobs = naiveLogprobs(raw, sampling.logprobs);
  const finish = (token: number, margin: number): NaiveDraw => ({
    token,
    margin,
    logprobs: logprobs && { logprob: logprobs.of(token), top: logprobs.top },
  });
  if (sampling.temperature < 1e-5) return finish(sorted[0]!.token, Number.POSITIVE_INFINITY);
  const { kept, margin } = keep(sorted, sampling);
  const position = prompt.length + generated.length;
  const noisy = kept.map(({ token, score }) => ({
    token,
    score: score / sampling.temperature + noise([sampling.seed, choice, position], token),
  }));
  return finish(sort(noisy)[0]!.token, margin);
}

/** The logits as the draw sees them: masked, biased and penalised one token after the other, each operation in f32. */
function changed(raw: Float32Array, sequence: NaiveSequence): Scored[] {
  const { sampling, prompt, generated, minTokens, stopTokenIds, allowed } = sequence;
  const f32 = Math.fround;
  return Array.from(raw, (logit, token) => {
    const isEarly = allowed === undefined && generated.length < minTokens;
    if ((isEarly && stopTokenIds.includes(token)) || allowed?.has(token) === false) {
      return { token, score: Number.NEGATIVE_INFINITY };
    }
    let score = logit;
    const bias = sampling.logitBias.find((entry) => entry.token === token)?.bias;
    if (bias !== undefined) score = f32(score + f32(bias));
    const count = generated.filter((other) => other === token).length;
    const repetition = f32(sampling.repetitionPenalty);
    if (count > 0 || prompt.includes(token)) {
      score = score > 0 ? f32(score / repetition) : f32(score * repetition);
    }
    score = f32(score - f32(f32(sampling.frequencyPenalty) * count));
    if (count > 0) score = f32(score - f32(sampling.presencePenalty));
    return { token, score };
  });
}

function keep(
  sorted: readonly Scored[],
  { temperature, minP, topK, topP }: SamplingParams,
): { kept: readonly Scored[]; margin: number } {
  const largest = sorted[0]!.score;
  const weight = ({ score }: Scored): number =>
    score === largest ? 1 : Math.exp((score - largest) / temperature);
  let margin = Number.POSITIVE_INFINITY;
  const approach = (distance: number): void => {
    margin = Math.min(margin, Math.abs(distance));
  };
  let kept = sorted.filter((scored) => {
    if (minP > 0 && scored.score < largest) approach(weight(scored) - minP);
    return weight(scored) >= minP;
  });
  if (topK > 0) kept = kept.slice(0, topK);
  if (topP >= 1) return { kept, margin };
  const total = kept.reduce((sum, scored) => sum + weight(scored), 0);
  let reached = 0;
  let size = 0;
  do {
    reached += weight(kept[size++]!) / total;
    approach(reached - topP);
  } while (reached < topP && size < kept.length);
  return { kept: kept.slice(0, size), margin };
}

/** Log-probabilities by the definition, of the logits as the model gave them. */
export function naiveLogprobs(
  raw: Float32Array,
  count: number | undefined,
): { of(token: number): number; top: DrawLogprobs['top'] } | undefined {
  if (count === undefined) return undefined;
  const largest = Math.max(...raw);
  const logarithm = Math.log(raw.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  const of = (token: number): number => raw[token]! - largest - logarithm;
  const sorted = sort(Array.from(raw, (score, token) => ({ token, score })));
  return { of, top: sorted.slice(0, count).map(({ token }) => ({ token, logprob: of(token) })) };
}

function sort(scored: readonly Scored[]): Scored[] {
  return [...scored].sort((a, b) =>
    a.score === b.score ? a.token - b.token : a.score < b.score ? 1 : -1,
  );
}

/** Gumbel noise, from the hash that the numeric contract fixes. */
function noise(draw: readonly [number, number, number], token: number): number {
  const [seed, choice, position] = draw.map(BigInt) as [bigint, bigint, bigint];
  const state = mix(mix(mix(0x9e3779b9n ^ seed) + choice) + position);
  const hash = mix(state ^ mix(BigInt(token) + 0x85ebca6bn));
  return -Math.log(-Math.log((Number(hash) + 0.5) / 2 ** 32));
}

/** lowbias32 in whole numbers without a limit. */
function mix(value: bigint): bigint {
  let hash = BigInt.asUintN(32, value);
  hash = BigInt.asUintN(32, (hash ^ (hash >> 16n)) * 0x7feb352dn);
  hash = BigInt.asUintN(32, (hash ^ (hash >> 15n)) * 0x846ca68bn);
  return hash ^ (hash >> 16n);
}
