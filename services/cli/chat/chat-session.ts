import { collectCompletion } from '../../client/completion.ts';
import { type Choice, RpcError, type ServerInfo, type SohuClient } from '../../client/index.ts';
import type { ChatMessage } from '../../gateway/chat-template.ts';
import type { ServedModel } from '../../gateway/served-model.ts';
import { tapEvents } from '../run/generate.ts';
import { countOf } from '../terminal/format.ts';
import type { ChatParameters } from './chat-parameters.ts';
import { fitConversation } from './fit-conversation.ts';

export interface ChatSessionOptions {
  readonly client: SohuClient;
  readonly info: ServerInfo;
  readonly model: ServedModel;
  readonly parameters: ChatParameters;
  readonly system: string;
  /** Takes an answer as it comes. */
  readonly onText: (text: string) => void;
  /** Takes what the user should know. */
  readonly note: (sentence: string) => void;
}

/** What became of a message: the whole answer, or what there was of it when it was stopped. */
export type Answer =
  | { readonly kind: 'whole'; readonly choice: Choice }
  | { readonly kind: 'stopped'; readonly text: string };

/** The part of the context that an answer may have at the least, when the conversation grows long. */
const ANSWER_SHARE = 1 / 4;

/** A conversation with a served model. */
export class ChatSession {
  readonly #options: ChatSessionOptions;
  #messages: ChatMessage[] = [];
  system: string;

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.system = options.system;
  }

  get messages(): readonly ChatMessage[] {
    const { system } = this;
    return system === ''
      ? this.#messages
      : [{ role: 'system', content: system }, ...this.#messages];
  }

  clear(): void {
    this.#messages = [];
  }

  /**
   * Asks for the answer to a message. Where the conversation does not fit the context any more, its
   * oldest exchanges are left out from then on. Throws an RpcError where nothing came of it; the
   * conversation is then as it was.
   */
  async ask(content: string, signal: AbortSignal): Promise<Answer> {
    const { tokenIds, messages } = this.#fit([...this.messages, { role: 'user', content }]);
    const { client, info, parameters, onText } = this.#options;
    const maxTokens = Math.min(parameters.maxTokens, info.maxContextLength - tokenIds.length);
    const request = { ...parameters.request(), prompt: tokenIds, maxTokens };
    let text = '';
    const events = tapEvents(client.generateStream(request, { signal }), (event) => {
      if (event.kind !== 'tokens') return;
      onText(event.text);
      text += event.text;
    });
    const answer = await collectCompletion(events, { n: 1, promptLogprobs: undefined }).then(
      ({ choices }): Answer => ({ kind: 'whole', choice: choices[0]! }),
      (error): Answer => {
        if (!signal.aborted) throw error;
        return { kind: 'stopped', text };
      },
    );
    const conversation = messages.filter(({ role }) => role !== 'system');
    this.#messages = [...conversation, { role: 'assistant', content: text }];
    return answer;
  }

  #fit(messages: readonly ChatMessage[]) {
    const { info, parameters, note } = this.#options;
    const context = info.maxContextLength;
    const room = Math.max(1, Math.min(parameters.maxTokens, Math.floor(context * ANSWER_SHARE)));
    const fitting = fitConversation(messages, {
      encode: (some) => this.#encode(some),
      maxPromptTokens: context - room,
    });
    if (fitting === undefined) {
      const subject = this.system === '' ? 'the message' : 'the message with what the system says';
      throw new RpcError(
        'INVALID_ARGUMENT',
        `${subject} is longer than the ${context - room} tokens that the context of ${context} tokens leaves for it`,
      );
    }
    if (fitting.dropped > 0) {
      note(
        `The conversation no longer fits the context of ${context} tokens: the oldest ${countOf(fitting.dropped, 'message')} left out.`,
      );
    }
    return fitting;
  }

  #encode(messages: readonly ChatMessage[]): readonly number[] {
    const { chatTemplate, texts } = this.#options.model;
    const { text, addSpecialTokens } = chatTemplate.render({
      messages,
      addGenerationPrompt: true,
      variables: {},
    });
    return texts.encode(text, { addSpecialTokens });
  }
}
