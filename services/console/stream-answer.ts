import { readEvents } from './event-reader.ts';

/** An answer so far; `text` is what is new. */
export interface Answer {
  readonly id: string;
  readonly text: string;
  /** Generated tokens. */
  readonly tokens: number;
  readonly finishReason: string | undefined;
}

/** What of OpenAI's chunks is read, of both APIs. */
interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly text?: string;
    readonly delta?: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly completion_tokens: number } | null;
  readonly error?: { readonly message: string };
}

/** Streams an answer of the gateway; throws what the gateway says where it fails. */
export async function* streamAnswer(
  path: string,
  body: object,
  options: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
): AsyncGenerator<Answer, void, undefined> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { ...options.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: options.signal,
  });
  if (!response.ok || response.body === null) throw new Error(await problemOf(response));
  let tokens = 0;
  let finishReason: string | undefined;
  for await (const data of readEvents(response.body)) {
    if (data === '[DONE]') return;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error !== undefined) throw new Error(chunk.error.message);
    const [choice] = chunk.choices;
    tokens = chunk.usage?.completion_tokens ?? tokens;
    finishReason = choice?.finish_reason ?? finishReason;
    const text = choice?.text ?? choice?.delta?.content ?? '';
    yield { id: chunk.id, text, tokens, finishReason };
  }
  throw new Error('the answer was cut off');
}

async function problemOf(response: Response): Promise<string> {
  if (response.status === 401) return 'The gateway wants a key: enter one under “Key”.';
  const { error } = (await response.json().catch(() => ({}))) as Partial<Chunk>;
  return error?.message ?? `HTTP ${response.status}`;
}
