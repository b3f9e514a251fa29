import type { DrawLogprobs, PromptLogprobs } from '../../client/index.ts';
import type { GenerationPlan } from '../generation-plan.ts';
import type { TokenTexts } from '../token-texts.ts';

/** Drawn tokens with their log-probabilities, as the engine sends them. */
export interface DrawnLogprobs {
  readonly tokenIds: readonly number[];
  readonly logprobs: readonly DrawLogprobs[];
}

/** Tokens of a text, drawn or prompted; null for one that follows nothing. */
export interface TextLogprobs {
  readonly tokenIds: readonly number[];
  readonly logprobs: readonly (DrawLogprobs | null)[];
}

/** What vLLM says of one token that may follow others. */
interface RankedLogprob {
  readonly logprob: number;
  /** From 1, among all tokens; null where it is below the reported ones. */
  readonly rank: number | null;
  readonly decoded_token: string;
}

interface ChatTokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** `logprobs` of a chat's choice. */
export interface ChatLogprobs {
  readonly content: readonly (ChatTokenLogprob & {
    readonly top_logprobs: readonly ChatTokenLogprob[];
  })[];
}

/** `logprobs` of a completion's choice. */
export interface CompletionLogprobs {
  readonly text_offset: readonly number[];
  readonly token_logprobs: readonly (number | null)[];
  readonly tokens: readonly string[];
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
}

/** What stands for a probability of zero, which JSON has no logarithm of. */
const LEAST_LOGPROB = -9999;

export function chatLogprobs(
  { tokenIds, logprobs }: DrawnLogprobs,
  texts: TokenTexts,
): ChatLogprobs {
  const entry = (id: number, logprob: number): ChatTokenLogprob => ({
    token: texts.textOf(id),
    logprob: Math.max(logprob, LEAST_LOGPROB),
    bytes: [...texts.bytesOf(id)],
  });
  return {
    content: logprobs.map(({ logprob, top }, index) => ({
      ...entry(tokenIds[index]!, logprob),
      top_logprobs: top.map((each) => entry(each.token, each.logprob)),
    })),
  };
}

/** The offsets count on from `startOffset`, in UTF-16 units of the tokens' texts. */
export function completionLogprobs(
  { tokenIds, logprobs }: TextLogprobs,
  texts: TokenTexts,
  startOffset: number,
): CompletionLogprobs {
  const tokens = tokenIds.map((id) => texts.textOf(id));
  let offset = startOffset;
  return {
    text_offset: tokens.map(({ length }) => {
      offset += length;
      return offset - length;
    }),
    token_logprobs: logprobs.map((each) => each && Math.max(each.logprob, LEAST_LOGPROB)),
    tokens,
    top_logprobs: logprobs.map((each, index) => each && topByText(tokens[index]!, each, texts)),
  };
}

/** `prompt_logprobs` of an answer as vLLM has it, by token id; null where nobody asked. */
export function promptLogprobs(
  { sampling }: Pick<GenerationPlan, 'sampling'>,
  logprobs: readonly PromptLogprobs[],
  texts: TokenTexts,
): readonly (Readonly<Record<string, RankedLogprob>> | null)[] | null {
  if (sampling.promptLogprobs === undefined) return null;
  return [null, ...logprobs.map((each) => rankedById(each, texts))];
}

function rankedById(
  { token, logprob, top }: PromptLogprobs,
  texts: TokenTexts,
): Readonly<Record<string, RankedLogprob>> {
  const entry = (id: number, value: number, rank: number | null): [number, RankedLogprob] => [
    id,
    { logprob: Math.max(value, LEAST_LOGPROB), rank, decoded_token: texts.textOf(id) },
  ];
  const ranked = top.map((each, index) => entry(each.token, each.logprob, index + 1));
  return Object.fromEntries([entry(token, logprob, null), ...ranked]);
}

/** The drawn token too; of several tokens with one text the likeliest. */
function topByText(
  token: string,
  { logprob, top }: DrawLogprobs,
  texts: TokenTexts,
): Readonly<Record<string, number>> {
  const byText = new Map([[token, Math.max(logprob, LEAST_LOGPROB)]]);
  for (const each of top) {
    const text = texts.textOf(each.token);
    const known = byText.get(text) ?? LEAST_LOGPROB;
    byText.set(text, Math.max(known, each.logprob));
  }
  return Object.fromEntries(byText);
}
