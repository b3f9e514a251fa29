import type { ChatMessage } from '../../gateway/chat-template.ts';

/** A conversation that leaves room for an answer. */
export interface FittingConversation {
  readonly messages: readonly ChatMessage[];
  /** The prompt that it becomes. */
  readonly tokenIds: readonly number[];
  /** Messages that were left out, the oldest ones. */
  readonly dropped: number;
}

/**
 * Leaves the oldest exchanges out until the prompt has at most `maxPromptTokens`; what the system
 * says and the last message always stay. Undefined where these alone are too long.
 */
export function fitConversation(
  messages: readonly ChatMessage[],
  options: {
    readonly encode: (messages: readonly ChatMessage[]) => readonly number[];
    readonly maxPromptTokens: number;
  },
): FittingConversation | undefined {
  const system = messages.filter(({ role }) => role === 'system');
  let rest = messages.filter(({ role }) => role !== 'system');
  for (;;) {
    const kept = [...system, ...rest];
    const tokenIds = options.encode(kept);
    if (tokenIds.length <= options.maxPromptTokens) {
      return { messages: kept, tokenIds, dropped: messages.length - kept.length };
    }
    if (rest.length <= 1) return undefined;
    // An answer without its question would mislead, so that both go.
    const next = rest.findIndex(({ role }, index) => index > 0 && role === 'user');
    rest = rest.slice(next);
  }
}
