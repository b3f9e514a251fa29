import { createParser } from 'eventsource-parser';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { describeValue, isFields } from '../../core/support/fields.ts';
import { LoadError, type LoadEvent, type LoadRequest, type LoadTarget } from './load-target.ts';

export interface HttpTargetOptions {
  /** Such as `http://127.0.0.1:8000`. */
  readonly baseUrl: string;
  readonly api: 'completions' | 'chat';
  readonly apiKey: string | undefined;
  /** Of each request beside prompt and length. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const PATHS = { completions: '/v1/completions', chat: '/v1/chat/completions' } as const;
const DONE = '[DONE]';

/** Any server that speaks the OpenAI protocol. */
export class HttpTarget implements LoadTarget {
  readonly address: string;
  readonly model: string;
  readonly #options: HttpTargetOptions;

  private constructor(options: HttpTargetOptions, model: string) {
    this.#options = options;
    this.address = `${options.baseUrl}${PATHS[options.api]}`;
    this.model = model;
  }

  /** Asks the server which model it serves, where none is named. */
  static async connect(options: HttpTargetOptions, model: string | undefined): Promise<HttpTarget> {
    return new HttpTarget(options, model ?? (await firstModel(options)));
  }

  async *send(request: LoadRequest, signal: AbortSignal): AsyncGenerator<LoadEvent> {
    const body = JSON.stringify(this.#bodyOf(request));
    const response = await ask(this.address, { method: 'POST', ...this.#headers, body, signal });
    if (!response.ok) throw await refusalOf(response);
    yield* readStream(response.body!);
  }

  async close(): Promise<void> {}

  get #headers(): RequestInit {
    return { headers: headersOf(this.#options) };
  }

  #bodyOf({ prompt, maxTokens }: LoadRequest): object {
    const { api, fields } = this.#options;
    const input =
      api === 'completions' ? { prompt } : { messages: [{ role: 'user', content: prompt }] };
    return {
      model: this.model,
      ...input,
      max_tokens: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
      ...fields,
    };
  }
}

async function firstModel(options: HttpTargetOptions): Promise<string> {
  const url = `${options.baseUrl}/v1/models`;
  const response = await ask(url, { headers: headersOf(options) }).catch((error: LoadError) => {
    throw new LoadError(error.label, `no server answers at ${options.baseUrl}: ${error.message}`);
  });
  if (!response.ok) throw await refusalOf(response);
  const { data } = (await response.json()) as { data?: readonly { id?: unknown }[] };
  const id = data?.[0]?.id;
  if (typeof id === 'string') return id;
  throw new InvalidArgumentError(`model must be named: ${url} names none`);
}

function headersOf({ apiKey }: HttpTargetOptions): Record<string, string> {
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  return { 'content-type': 'application/json', ...authorization };
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw networkError(error);
  }
}

/** What `fetch` throws hides the reason in its cause; an abort stays what it is. */
function networkError(error: unknown): unknown {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  if (cause === undefined) return error;
  return new LoadError(cause.code ?? 'network', cause.message || String(error));
}

async function refusalOf(response: Response): Promise<LoadError> {
  const text = await response.text().catch(() => '');
  return new LoadError(String(response.status), messageOf(text) ?? response.statusText);
}

function messageOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    return typeof error === 'string' ? error : error?.message;
  } catch {
    return undefined;
  }
}

/** The events of a stream, which must end with `[DONE]`. */
async function* readStream(body: ReadableStream<Uint8Array>): AsyncGenerator<LoadEvent> {
  const frames: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => frames.push(data) });
  const decoder = new TextDecoder();
  let isDone = false;
  try {
    for await (const bytes of body) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      for (const frame of frames.splice(0)) {
        if (frame === DONE) isDone = true;
        else yield* eventsOf(frame);
      }
    }
  } catch (error) {
    throw networkError(error);
  }
  if (!isDone) throw new LoadError('cut', `the stream ended without ${DONE}`);
}

/** A chunk is a token, unless it only begins a chat; usage may come with it or alone. */
function eventsOf(frame: string): readonly LoadEvent[] {
  const chunk: unknown = JSON.parse(frame);
  if (!isFields(chunk)) throw new LoadError('malformed', `a chunk is ${describeValue(chunk)}`);
  if (isFields(chunk.error)) {
    const { code, message } = chunk.error;
    throw new LoadError(String(code), String(message));
  }
  const [choice] = (chunk.choices ?? []) as readonly {
    delta?: { role?: string; content?: string };
  }[];
  const beginsChat = choice?.delta?.role !== undefined && !choice.delta.content;
  const usage = chunk.usage as { prompt_tokens: number; completion_tokens: number } | undefined;
  return [
    ...(choice === undefined || beginsChat ? [] : [{ kind: 'tokens', count: 1 } as const]),
    ...(usage ? [usageEvent(usage.prompt_tokens, usage.completion_tokens)] : []),
  ];
}

function usageEvent(inputTokens: number, outputTokens: number): LoadEvent {
  return { kind: 'usage', inputTokens, outputTokens };
}
