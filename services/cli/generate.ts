import { collectCompletion } from '../client/completion.ts';
import {
  type GenerateEvent,
  type GenerateRequest,
  RpcError,
  type SohuClient,
} from '../client/index.ts';
import type { PromptResult } from './run-result.ts';

export interface GenerateAllOptions {
  readonly client: SohuClient;
  readonly prompts: readonly string[];
  /** What all requests have in common. */
  readonly sampling: Omit<GenerateRequest, 'prompt'>;
  readonly signal: AbortSignal;
  readonly onText: (index: number, text: string) => void;
  readonly onEnd: (index: number) => void;
}

/** Continues all prompts at once; throws the first error. */
export function generateAll(options: GenerateAllOptions): Promise<PromptResult[]> {
  return Promise.all(options.prompts.map((prompt, index) => generateOne(options, prompt, index)));
}

async function generateOne(
  options: GenerateAllOptions,
  prompt: string,
  index: number,
): Promise<PromptResult> {
  const { client, prompts, sampling, signal, onText, onEnd } = options;
  const events = client.generateStream({ ...sampling, prompt }, { signal });
  try {
    const completion = await collectCompletion(tapText(events, (text) => onText(index, text)));
    onEnd(index);
    return { prompt, completion };
  } catch (error) {
    const { code, message } = RpcError.from(error);
    const place = prompts.length > 1 ? `prompt ${index + 1}: ` : '';
    throw new RpcError(code, place + message, { cause: error });
  }
}

async function* tapText(
  events: AsyncIterable<GenerateEvent>,
  onText: (text: string) => void,
): AsyncGenerator<GenerateEvent> {
  for await (const event of events) {
    if (event.kind === 'tokens') onText(event.text);
    yield event;
  }
}
