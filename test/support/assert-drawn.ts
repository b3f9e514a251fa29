import assert from 'node:assert/strict';
import type { DrawLogprobs, PromptLogprobs } from '../../services/core/sampling/drawn-token.ts';

/** What was drawn, with one entry of log-probabilities for each token. */
interface Drawn {
  readonly tokens: readonly number[];
  readonly logprobs: readonly (DrawLogprobs | undefined)[];
  readonly promptLogprobs?: readonly PromptLogprobs[];
}

/** Asserts that tokens are equal, and their log-probabilities but for rounding in f64. */
export function assertDrawn(actual: Drawn, expected: Drawn): void {
  assert.deepEqual(actual.tokens, expected.tokens);
  assert.equal(actual.logprobs.length, expected.logprobs.length);
  actual.logprobs.forEach((logprobs, index) => {
    assertLogprobs(logprobs, expected.logprobs[index]);
  });
  const [prompt, expectedPrompt] = [actual.promptLogprobs ?? [], expected.promptLogprobs ?? []];
  assert.deepEqual(prompt.map(tokenOf), expectedPrompt.map(tokenOf));
  prompt.forEach((logprobs, index) => {
    assertLogprobs(logprobs, expectedPrompt[index]);
  });
}

function tokenOf({ token }: PromptLogprobs): number {
  return token;
}

/** Asserts that two numbers differ by rounding in f64 alone. */
export function assertClose(actual: number, expected: number): void {
  const error = Math.abs(actual - expected);
  assert.ok(error <= 1e-9 * Math.max(1, Math.abs(expected)), `${actual}, not ${expected}`);
}

function assertLogprobs(
  actual: DrawLogprobs | undefined,
  expected: DrawLogprobs | undefined,
): void {
  assert.equal(actual === undefined, expected === undefined);
  if (actual === undefined || expected === undefined) return;
  assertClose(actual.logprob, expected.logprob);
  const tokensOf = ({ top }: DrawLogprobs): number[] => top.map(({ token }) => token);
  assert.deepEqual(tokensOf(actual), tokensOf(expected));
  actual.top.forEach(({ logprob }, index) => {
    assertClose(logprob, expected.top[index]!.logprob);
  });
}
