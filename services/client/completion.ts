import type { DrawLogprobs, PromptLogprobs } from '../core/sampling/drawn-token.ts';
import type {
  AcceptedEvent,
  CompleteEvent,
  GenerateEvent,
  Timings,
  TokensEvent,
  Usage,
} from '../rpc/inference-types.ts';
import { checkedEvents, type Expected } from './checked-events.ts';

/** One sample of a generation. */
export interface Choice extends Omit<CompleteEvent, 'kind'> {
  readonly text: string;
  readonly tokenIds: readonly number[];
  /** One for each token; empty where the request did not ask for them. */
  readonly logprobs: readonly DrawLogprobs[];
}

/** A whole generation. */
export interface Completion {
  readonly requestId: string;
  /** One for each token of the prompt but the first; empty where the request did not ask for them. */
  readonly promptLogprobs: readonly PromptLogprobs[];
  /** The samples in order, as many as the request's `n`. */
  readonly choices: readonly Choice[];
  /** The seed of the draws: with it the same request gives the same tokens. */
  readonly seed: number;
  /** The prompt once, the tokens of all samples; cached is what every sample found. */
  readonly usage: Usage;
  /** Those of the sample that ended last. */
  readonly timings: Timings;
}

/** Collects the events of a request's samples, and checks them. */
export async function collectCompletion(
  events: AsyncIterable<GenerateEvent>,
  expected: Expected,
): Promise<Completion> {
  let accepted: AcceptedEvent | undefined;
  const tokens = Array.from({ length: expected.n }, (): TokensEvent[] => []);
  const promptLogprobs: PromptLogprobs[] = [];
  const completes: CompleteEvent[] = [];
  for await (const event of checkedEvents(events, expected)) {
    if (event.kind === 'accepted') accepted = event;
    else if (event.kind === 'promptLogprobs') promptLogprobs.push(...event.logprobs);
    else if (event.kind === 'tokens') tokens[event.index]!.push(event);
    else completes.push(event);
  }
  const { requestId, promptTokens, seed } = accepted!;
  const choices = completes.map((complete) => toChoice(complete, tokens[complete.index]!));
  const usage = totalUsage(promptTokens, choices);
  const { timings } = latest(choices);
  choices.sort(byIndex);
  return { requestId, promptLogprobs, choices, seed, usage, timings };
}

function toChoice(complete: CompleteEvent, tokens: readonly TokensEvent[]): Choice {
  const { kind: _kind, ...end } = complete;
  return {
    ...end,
    text: tokens.map(({ text }) => text).join(''),
    tokenIds: tokens.flatMap(({ tokenIds }) => tokenIds),
    logprobs: tokens.flatMap(({ logprobs }) => logprobs),
  };
}

function totalUsage(promptTokens: number, choices: readonly Choice[]): Usage {
  const usages = choices.map(({ usage }) => usage);
  return {
    promptTokens,
    completionTokens: usages.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
    cachedTokens: Math.min(...usages.map(({ cachedTokens }) => cachedTokens)),
  };
}

function latest(choices: readonly Choice[]): Choice {
  return choices.reduce((last, next) => (next.timings.e2eMs > last.timings.e2eMs ? next : last));
}

function byIndex(a: Choice, b: Choice): number {
  return a.index - b.index;
}
