import type { PromptLogprobs, TokensEvent } from '../../client/index.ts';
import type {
  AnswerChoice,
  AnswerFormat,
  BegunPrompt,
  ChoiceEnd,
  ChunkWriter,
} from '../answer-format.ts';
import type { GenerationPlan } from '../generation-plan.ts';
import { sseFrame } from '../sse-stream.ts';
import type { TokenTexts } from '../token-texts.ts';
import type { UsageJson } from '../usage-tally.ts';
import { completionLogprobs, promptLogprobs, type TextLogprobs } from './logprobs.ts';

/** Answers of `/v1/completions`, as vLLM shapes them. */
export class CompletionFormat implements AnswerFormat {
  readonly #plan: GenerationPlan;
  readonly #texts: TokenTexts;
  readonly #echoes: readonly string[];

  /** `echoes` are the texts of the prompts where they are part of the answer, else empty. */
  constructor(plan: GenerationPlan, texts: TokenTexts, echoes: readonly string[]) {
    this.#plan = plan;
    this.#texts = texts;
    this.#echoes = echoes;
  }

  whole(choices: readonly AnswerChoice[], usage: UsageJson): object {
    const { id, created, model } = this.#plan;
    return {
      id,
      object: 'text_completion',
      created,
      model,
      choices: choices.map((choice) => this.#choice(choice)),
      service_tier: null,
      system_fingerprint: null,
      usage,
      kv_transfer_params: null,
    };
  }

  chunks(): ChunkWriter {
    return new CompletionChunks(this.#plan, this.#texts, this.#echoes);
  }

  #choice(choice: AnswerChoice): object {
    const { returnTokenIds, prompts, n } = this.#plan;
    const { index, text, tokenIds, finishReason, stopReason } = choice;
    const prompt = Math.floor(index / n);
    const echo = this.#echoes[prompt];
    const shown = echo === undefined ? choice : this.#withPrompt(choice, prompts[prompt]!);
    return {
      index,
      text: (echo ?? '') + text,
      logprobs: shown.logprobs.length === 0 ? null : completionLogprobs(shown, this.#texts, 0),
      finish_reason: finishReason,
      stop_reason: stopReason ?? null,
      token_ids: returnTokenIds ? tokenIds : null,
      prompt_logprobs: promptLogprobs(this.#plan, choice.promptLogprobs, this.#texts),
      prompt_token_ids: returnTokenIds ? prompts[prompt] : null,
    };
  }

  /** A choice that begins with the tokens of its prompt. */
  #withPrompt(choice: AnswerChoice, prompt: readonly number[]): TextLogprobs {
    const echo = echoed(prompt, choice.promptLogprobs, this.#plan);
    if (echo === undefined) return choice;
    return {
      tokenIds: [...echo.tokenIds, ...choice.tokenIds],
      logprobs: [...echo.logprobs, ...choice.logprobs],
    };
  }
}

/** Joins prepared pieces: to build an object for every token would cost more than all the rest. */
class CompletionChunks implements ChunkWriter {
  readonly #plan: GenerationPlan;
  readonly #texts: TokenTexts;
  readonly #echoes: readonly string[];
  readonly #head: string;
  /** By choice, where its next token's text begins. */
  readonly #offsets = new Map<number, number>();

  constructor(plan: GenerationPlan, texts: TokenTexts, echoes: readonly string[]) {
    this.#plan = plan;
    this.#texts = texts;
    this.#echoes = echoes;
    const { id, created, model } = plan;
    const object = 'text_completion';
    this.#head = `${JSON.stringify({ id, object, created, model }).slice(0, -1)},"choices":[`;
  }

  begin({ index: prompt, logprobs }: BegunPrompt, usage: UsageJson | undefined): string {
    const { n, prompts } = this.#plan;
    const text = this.#echoes[prompt];
    if (text === undefined) return '';
    const tokens = echoed(prompts[prompt]!, logprobs, this.#plan);
    return Array.from({ length: n }, (_, i) => {
      const index = prompt * n + i;
      const shown = tokens === undefined ? null : this.#logprobs(index, tokens);
      return this.#frame({ index, text, logprobs: shown, ends: NO_END, tokenIds: [] }, usage);
    }).join('');
  }

  tokens(index: number, event: TokensEvent, usage: UsageJson | undefined): string {
    if (event.logprobs.length > 0 || this.#plan.returnTokenIds) {
      return this.#frame({ ...this.#choice(index, event), ends: NO_END }, usage);
    }
    return `data: ${this.#head}{"index":${index},"text":${JSON.stringify(event.text)},"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]${usageTail(usage)}\n\n`;
  }

  complete(index: number, { event, tokens }: ChoiceEnd, usage: UsageJson | undefined): string {
    const choice =
      tokens === undefined ? { index, text: '', tokenIds: [] } : this.#choice(index, tokens);
    return this.#frame({ ...choice, ends: event }, usage);
  }

  usage(usage: UsageJson): string {
    return sseFrame(`${this.#head}]${usageTail(usage)}`);
  }

  #choice(index: number, event: TokensEvent): Omit<ChunkChoice, 'ends'> {
    const { text, tokenIds, logprobs, firstTokenIndex } = event;
    const promptIds = firstTokenIndex === 0 ? this.#plan.prompts[this.#promptOf(index)] : null;
    const shown = logprobs.length === 0 ? null : this.#logprobs(index, event);
    return { index, text, tokenIds, promptIds, logprobs: shown };
  }

  #frame(choice: ChunkChoice, usage: UsageJson | undefined): string {
    const { returnTokenIds } = this.#plan;
    const { index, text, tokenIds, ends, promptIds = null, logprobs = null } = choice;
    const json = JSON.stringify({
      index,
      text,
      logprobs,
      finish_reason: ends.finishReason ?? null,
      stop_reason: ends.stopReason ?? null,
      prompt_token_ids: returnTokenIds ? promptIds : null,
      token_ids: returnTokenIds ? tokenIds : null,
    });
    return sseFrame(`${this.#head}${json}]${usageTail(usage)}`);
  }

  #logprobs(index: number, event: TextLogprobs): object {
    const start = this.#offsets.get(index) ?? 0;
    const logprobs = completionLogprobs(event, this.#texts, start);
    const length = logprobs.tokens.reduce((sum, token) => sum + token.length, 0);
    this.#offsets.set(index, start + length);
    return logprobs;
  }

  #promptOf(index: number): number {
    return Math.floor(index / this.#plan.n);
  }
}

/** The tokens of an echo, where their log-probabilities are asked for. */
function echoed(
  tokenIds: readonly number[],
  logprobs: readonly PromptLogprobs[],
  { sampling }: GenerationPlan,
): TextLogprobs | undefined {
  if (sampling.logprobs === undefined) return undefined;
  const most = sampling.logprobs;
  const shown = logprobs.map(({ logprob, top }) => ({ logprob, top: top.slice(0, most) }));
  return { tokenIds, logprobs: [null, ...shown] };
}

interface ChunkChoice {
  readonly index: number;
  readonly text: string;
  readonly tokenIds: readonly number[];
  readonly promptIds?: readonly number[] | null | undefined;
  readonly logprobs?: object | null;
  readonly ends: {
    readonly finishReason: string | undefined;
    readonly stopReason: string | number | undefined;
  };
}

const NO_END = { finishReason: undefined, stopReason: undefined };

function usageTail(usage: UsageJson | undefined): string {
  return `,"usage":${usage === undefined ? 'null' : JSON.stringify(usage)}}`;
}
