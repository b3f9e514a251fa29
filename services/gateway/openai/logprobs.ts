import type { DrawLogprobs } from '../../client/index.ts';
import type { TokenTexts } from '../token-texts.ts';

/** Drawn tokens with their log-probabilities, as the engine sends them. */
export interface DrawnLogprobs {
  readonly tokenIds: readonly number[];
  readonly logprobs: readonly DrawLogprobs[];
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
  readonly token_logprobs: readonly number[];
  readonly tokens: readonly string[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[];
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
  { tokenIds, logprobs }: DrawnLogprobs,
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
    token_logprobs: logprobs.map(({ logprob }) => Math.max(logprob, LEAST_LOGPROB)),
    tokens,
    top_logprobs: logprobs.map((drawn, index) => topByText(tokens[index]!, drawn, texts)),
  };
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
