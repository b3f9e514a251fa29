import type { TokensEvent } from '../../client/index.ts';
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
import { chatLogprobs, promptLogprobs } from './logprobs.ts';

const ROLE = 'assistant';

/** Answers of `/v1/chat/completions`, as vLLM shapes them. */
export class ChatFormat implements AnswerFormat {
  readonly #plan: GenerationPlan;
  readonly #texts: TokenTexts;

  constructor(plan: GenerationPlan, texts: TokenTexts) {
    this.#plan = plan;
    this.#texts = texts;
  }

  whole(choices: readonly AnswerChoice[], usage: UsageJson): object {
    const { id, created, model, returnTokenIds, prompts } = this.#plan;
    return {
      id,
      object: 'chat.completion',
      created,
      model,
      choices: choices.map((choice) => this.#choice(choice)),
      service_tier: null,
      system_fingerprint: null,
      usage,
      prompt_logprobs: promptLogprobs(this.#plan, choices[0]?.promptLogprobs ?? [], this.#texts),
      prompt_token_ids: returnTokenIds ? prompts[0] : null,
      kv_transfer_params: null,
    };
  }

  chunks(): ChunkWriter {
    return new ChatChunks(this.#plan, this.#texts);
  }

  #choice(choice: AnswerChoice): object {
    const { index, text, tokenIds, finishReason, stopReason } = choice;
    return {
      index,
      message: { role: ROLE, content: text, refusal: null, tool_calls: [] },
      logprobs: choice.logprobs.length === 0 ? null : chatLogprobs(choice, this.#texts),
      finish_reason: finishReason,
      stop_reason: stopReason ?? null,
      token_ids: this.#plan.returnTokenIds ? tokenIds : null,
    };
  }
}

/** Joins prepared pieces: to build an object for every token would cost more than all the rest. */
class ChatChunks implements ChunkWriter {
  readonly #plan: GenerationPlan;
  readonly #texts: TokenTexts;
  readonly #head: string;

  constructor(plan: GenerationPlan, texts: TokenTexts) {
    this.#plan = plan;
    this.#texts = texts;
    const { id, created, model } = plan;
    const object = 'chat.completion.chunk';
    this.#head = `${JSON.stringify({ id, object, created, model }).slice(0, -1)},"choices":[`;
  }

  begin(_prompt: BegunPrompt, usage: UsageJson | undefined): string {
    const { n, returnTokenIds, prompts } = this.#plan;
    const promptIds = returnTokenIds ? JSON.stringify(prompts[0]) : 'null';
    const tail = `${usageTail(usage)},"prompt_token_ids":${promptIds}}`;
    const delta = `"delta":{"role":"${ROLE}","content":""}`;
    const frame = (index: number): string =>
      `{"index":${index},${delta},"logprobs":null,"finish_reason":null}]${tail}`;
    return Array.from({ length: n }, (_, index) => sseFrame(this.#head + frame(index))).join('');
  }

  tokens(index: number, event: TokensEvent, usage: UsageJson | undefined): string {
    const { text, tokenIds } = event;
    const shown = JSON.stringify(this.#logprobs(event));
    const ids = this.#plan.returnTokenIds ? JSON.stringify(tokenIds) : 'null';
    return `data: ${this.#head}{"index":${index},"delta":{"content":${JSON.stringify(text)}},"logprobs":${shown},"finish_reason":null,"token_ids":${ids}}]${usageTail(usage)}}\n\n`;
  }

  complete(index: number, { event, tokens }: ChoiceEnd, usage: UsageJson | undefined): string {
    const choice = {
      index,
      delta: { content: tokens?.text ?? '' },
      logprobs: tokens === undefined ? null : this.#logprobs(tokens),
      finish_reason: event.finishReason,
      stop_reason: event.stopReason ?? null,
      token_ids: this.#plan.returnTokenIds ? (tokens?.tokenIds ?? []) : null,
    };
    return sseFrame(`${this.#head}${JSON.stringify(choice)}]${usageTail(usage)}}`);
  }

  usage(usage: UsageJson): string {
    return sseFrame(`${this.#head}]${usageTail(usage)}}`);
  }

  #logprobs(event: TokensEvent): object | null {
    return event.logprobs.length === 0 ? null : chatLogprobs(event, this.#texts);
  }
}

function usageTail(usage: UsageJson | undefined): string {
  return usage === undefined ? '' : `,"usage":${JSON.stringify(usage)}`;
}
