import type { CompleteEvent, PromptLogprobs, TokensEvent } from '../client/index.ts';
import type { AnswerChoice } from './answer-format.ts';
import type { Engine } from './engine.ts';
import { choiceIndex, type GenerationPlan } from './generation-plan.ts';
import { runPlan } from './run-plan.ts';
import type { UsageTally } from './usage-tally.ts';

/** Runs a plan to its end; the choices in their order. */
export async function collectAnswer(
  engine: Pick<Engine, 'generateStream'>,
  plan: GenerationPlan,
  { signal, tally }: { readonly signal: AbortSignal; readonly tally: UsageTally },
): Promise<readonly AnswerChoice[]> {
  const tokens = new Map<number, TokensEvent[]>();
  const prompts = plan.prompts.map((): PromptLogprobs[] => []);
  const choices: AnswerChoice[] = [];
  await runPlan(engine, plan, {
    signal,
    sink: (event, prompt) => {
      tally.take(event, prompt);
      if (event.kind === 'accepted') return undefined;
      if (event.kind === 'promptLogprobs') {
        prompts[prompt]!.push(...event.logprobs);
        return undefined;
      }
      const index = choiceIndex(plan, { prompt, sample: event.index });
      const events = tokens.get(index) ?? [];
      if (event.kind === 'tokens') events.push(event);
      else choices.push({ ...toChoice(index, event, events), promptLogprobs: prompts[prompt]! });
      tokens.set(index, events);
      return undefined;
    },
  });
  return choices.sort((a, b) => a.index - b.index);
}

function toChoice(
  index: number,
  { finishReason, stopReason }: CompleteEvent,
  tokens: readonly TokensEvent[],
): Omit<AnswerChoice, 'promptLogprobs'> {
  return {
    index,
    text: tokens.map(({ text }) => text).join(''),
    tokenIds: tokens.flatMap(({ tokenIds }) => tokenIds),
    logprobs: tokens.flatMap(({ logprobs }) => logprobs),
    finishReason,
    stopReason,
  };
}
