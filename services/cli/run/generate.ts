import type { SearchOptions } from '../../client/client-options.ts';
import { collectCompletion } from '../../client/completion.ts';
import type { Completion, GenerateEvent, GenerateRequest, SohuClient } from '../../client/index.ts';
import { eachPrompt } from './each-prompt.ts';
import type { PromptResult } from './run-result.ts';

/** One of the texts of a command: a sample of one of its prompts, both from 0. */
export interface TextPlace {
  readonly prompt: number;
  readonly choice: number;
}

export interface GenerateAllOptions {
  readonly client: SohuClient;
  readonly prompts: readonly string[];
  /** What all requests have in common. */
  readonly request: Omit<GenerateRequest, 'prompt'>;
  readonly call: SearchOptions;
  readonly onText: (place: TextPlace, text: string) => void;
  readonly onEnd: (place: TextPlace) => void;
}

/** Continues all prompts at once; throws the first error. */
export function generateAll(options: GenerateAllOptions): Promise<PromptResult[]> {
  return eachPrompt(options.prompts, async (prompt, index) => {
    return { kind: 'samples', prompt, completion: await generateOne(options, prompt, index) };
  });
}

function generateOne(
  options: GenerateAllOptions,
  prompt: string,
  index: number,
): Promise<Completion> {
  const { client, request, call, onText, onEnd } = options;
  const events = client.generateStream({ ...request, prompt }, call);
  const tapped = tapEvents(events, (event) => {
    if (event.kind === 'accepted' || event.kind === 'promptLogprobs') return;
    const place = { prompt: index, choice: event.index };
    if (event.kind === 'tokens') onText(place, event.text);
    else onEnd(place);
  });
  return collectCompletion(tapped, { n: request.n ?? 1, promptLogprobs: request.promptLogprobs });
}

/** The same events, each of them shown to `onEvent` first. */
export async function* tapEvents(
  events: AsyncIterable<GenerateEvent>,
  onEvent: (event: GenerateEvent) => void,
): AsyncGenerator<GenerateEvent> {
  for await (const event of events) {
    onEvent(event);
    yield event;
  }
}
