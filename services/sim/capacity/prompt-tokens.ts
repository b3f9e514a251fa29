import { type PlannedRequest, TRACE_BLOCK_TOKENS } from './planned-request.ts';

/** Small enough for the compact arrays of small integers. */
const TOKEN_MASK = 0x3fffffff;

/** Makes up the tokens of prompts: equal content ids give equal tokens. */
export class PromptTokens {
  /** Ascending; all prompts of unknown content begin with it, and a salt keeps them apart. */
  #anything: number[] = [];
  #last: readonly number[] = [];

  of({ inputTokens, contentIds }: PlannedRequest): readonly number[] {
    if (contentIds !== undefined) return tokensOfContent(contentIds, inputTokens);
    if (this.#last.length !== inputTokens) {
      while (this.#anything.length < inputTokens) this.#anything.push(this.#anything.length);
      this.#last = this.#anything.slice(0, inputTokens);
    }
    return this.#last;
  }
}

function tokensOfContent(contentIds: readonly number[], inputTokens: number): readonly number[] {
  const tokens: number[] = [];
  for (const id of contentIds) {
    const base = Math.imul(id, 0x9e3779b1);
    const count = Math.min(TRACE_BLOCK_TOKENS, inputTokens - tokens.length);
    for (let index = 0; index < count; index++) tokens.push((base + index) & TOKEN_MASK);
  }
  return tokens;
}
