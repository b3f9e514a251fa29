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
  // A list that grew would have room for half as many more.
  const tokens = new Array<number>(inputTokens);
  for (let position = 0; position < inputTokens; position++) {
    const index = position % TRACE_BLOCK_TOKENS;
    const id = contentIds[(position - index) / TRACE_BLOCK_TOKENS]!;
    tokens[position] = (Math.imul(id, 0x9e3779b1) + index) & TOKEN_MASK;
  }
  return tokens;
}
