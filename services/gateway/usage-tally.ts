import type { GenerateEvent } from '../client/index.ts';

/** `usage` of an answer or chunk. */
export interface UsageJson {
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** Counts the tokens of one request while its events come: each prompt once, and all samples. */
export class UsageTally {
  #prompt = 0;
  #completion = 0;
  /** By prompt, what every sample of it found in the cache. */
  readonly #cached = new Map<number, number>();

  /** Takes an event of a prompt's samples. */
  take(event: GenerateEvent, prompt: number): void {
    if (event.kind === 'accepted') this.#prompt += event.promptTokens;
    else if (event.kind === 'tokens') this.#completion += event.tokenIds.length;
    else if (event.kind === 'complete') {
      const { cachedTokens } = event.usage;
      this.#cached.set(prompt, Math.min(cachedTokens, this.#cached.get(prompt) ?? cachedTokens));
    }
  }

  get promptTokens(): number {
    return this.#prompt;
  }

  get completionTokens(): number {
    return this.#completion;
  }

  toJson(): UsageJson {
    return {
      prompt_tokens: this.#prompt,
      total_tokens: this.#prompt + this.#completion,
      completion_tokens: this.#completion,
      prompt_tokens_details: {
        cached_tokens: [...this.#cached.values()].reduce((sum, tokens) => sum + tokens, 0),
      },
    };
  }
}
