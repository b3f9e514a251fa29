/**
 * What one step of one replica computes, as counts that a scheduler keeps with a few additions.
 * Pairs are those of a query and a key that it attends to.
 */
export interface StepShape {
  /** Prompts that this step computes a part of. */
  readonly prefillSequences: number;
  /** New tokens of these prompts. */
  readonly prefillTokens: number;
  readonly prefillPairs: number;
  /** Tokens of these prompts that were computed before this step, and are read from the cache. */
  readonly prefillCachedTokens: number;
  readonly decodeSequences: number;
  /** Keys that all the decoding sequences read, their new token's included. */
  readonly decodeContextTokens: number;
  /** Rows that pass the head and are sampled. */
  readonly sampledRows: number;
}

/** A part of a prompt that a step computes. */
export interface PrefillChunk {
  readonly newTokens: number;
  /** Tokens of the prompt that were computed before. */
  readonly contextTokens: number;
}

/** Pairs of a causal chunk: each new token sees what came before, and itself. */
export function causalPairs({ newTokens, contextTokens }: PrefillChunk): number {
  return newTokens * contextTokens + (newTokens * (newTokens + 1)) / 2;
}

/** The counts of a step of whole chunks and decoding sequences. */
export function makeStepShape(step: {
  readonly prefill?: readonly PrefillChunk[];
  readonly decodeSequences?: number;
  readonly decodeContextTokens?: number;
  readonly sampledRows?: number;
}): StepShape {
  const { prefill = [], decodeSequences = 0, decodeContextTokens = 0 } = step;
  const sum = (of: (chunk: PrefillChunk) => number): number =>
    prefill.reduce((total, chunk) => total + of(chunk), 0);
  return {
    prefillSequences: prefill.length,
    prefillTokens: sum(({ newTokens }) => newTokens),
    prefillPairs: sum(causalPairs),
    prefillCachedTokens: sum(({ contextTokens }) => contextTokens),
    decodeSequences,
    decodeContextTokens,
    sampledRows: step.sampledRows ?? decodeSequences + prefill.length,
  };
}
