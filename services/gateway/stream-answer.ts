import type { PromptLogprobs, TokensEvent } from '../client/index.ts';
import type { AnswerFormat } from './answer-format.ts';
import type { Engine } from './engine.ts';
import { toEnvelope, toHttpError } from './errors.ts';
import { choiceIndex, type GenerationPlan } from './generation-plan.ts';
import { type EventSink, runPlan } from './run-plan.ts';
import { DONE_FRAME, type SseStream, sseFrame } from './sse-stream.ts';
import type { UsageTally } from './usage-tally.ts';

export interface StreamedAnswer {
  readonly format: AnswerFormat;
  readonly stream: SseStream;
  readonly signal: AbortSignal;
  readonly tally: UsageTally;
}

/**
 * Runs a plan into a stream, which opens when the engine has accepted every prompt: what fails
 * before is thrown, what fails later is a frame, after which the stream ends as ever.
 */
export async function streamAnswer(
  engine: Pick<Engine, 'generateStream'>,
  plan: GenerationPlan,
  answer: StreamedAnswer,
): Promise<void> {
  const { format, stream, signal, tally } = answer;
  const chunks = format.chunks();
  const usage = () => (plan.continuousUsage ? tally.toJson() : undefined);
  /** Last tokens, by choice, which wait for the end that comes next. */
  const held = new Map<number, TokensEvent>();
  const prompts = plan.prompts.map((): PromptLogprobs[] => []);
  const begun = new Set<number>();
  let waiting = plan.prompts.length;
  const sink: EventSink = (event, prompt) => {
    tally.take(event, prompt);
    if (event.kind === 'accepted') {
      if (--waiting === 0) stream.open();
      return undefined;
    }
    if (event.kind === 'promptLogprobs') {
      prompts[prompt]!.push(...event.logprobs);
      return undefined;
    }
    const index = choiceIndex(plan, { prompt, sample: event.index });
    if (event.kind === 'tokens' && event.isLast) {
      held.set(index, event);
      return undefined;
    }
    const begin = begun.has(prompt)
      ? ''
      : chunks.begin({ index: prompt, logprobs: prompts[prompt]! }, usage());
    begun.add(prompt);
    const chunk =
      event.kind === 'tokens'
        ? chunks.tokens(index, event, usage())
        : chunks.complete(index, { event, tokens: held.get(index) }, usage());
    return stream.write(begin + chunk);
  };
  try {
    await runPlan(engine, plan, { signal, sink });
  } catch (error) {
    if (!stream.isOpen) throw error;
    await stream.end(sseFrame(JSON.stringify(toEnvelope(toHttpError(error)))) + DONE_FRAME);
    return;
  }
  await stream.end((plan.includeUsage ? chunks.usage(tally.toJson()) : '') + DONE_FRAME);
}
