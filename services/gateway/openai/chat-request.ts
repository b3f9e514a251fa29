import type { Fields } from '../../core/support/fields.ts';
import { badRequest } from '../http-error.ts';
import { ChatFormat } from './chat-format.ts';
import { messages } from './chat-messages.ts';
import type { ParsedRequest } from './completion-request.ts';
import { encodePrompt } from './encode-prompt.ts';
import { field, flag, object, optional, readFields, whole } from './fields.ts';
import { checkScope, makePlan, type RequestScope } from './request-scope.ts';
import { MAX_TOKENS_FIELD, SAMPLING_FIELDS } from './sampling-fields.ts';

/** The fields that decide the prompt of a chat; `/tokenize` has them too. */
export const CHAT_PROMPT_FIELDS = {
  messages: optional(messages),
  add_generation_prompt: field(flag, true),
  add_special_tokens: field(flag, false),
  chat_template_kwargs: field(object, {}),
};

const FIELDS = {
  ...SAMPLING_FIELDS,
  ...CHAT_PROMPT_FIELDS,
  max_tokens: optional(MAX_TOKENS_FIELD),
  max_completion_tokens: optional(MAX_TOKENS_FIELD),
  logprobs: field(flag, false),
  top_logprobs: optional(whole({ from: 0, to: 2 ** 31 - 1 })),
};

/** Reads the body of `/v1/chat/completions`. */
export function parseChat(body: Fields, scope: RequestScope): ParsedRequest {
  const fields = readFields(body, FIELDS);
  checkScope(body, fields, scope);
  const { logprobs, top_logprobs: top } = fields;
  if (top !== undefined && top > 0 && !logprobs) {
    throw badRequest('top_logprobs must only be there where logprobs is true', 'top_logprobs');
  }
  const plan = makePlan(
    fields,
    {
      idPrefix: 'chatcmpl',
      prompts: [chatPrompt(body, scope)],
      maxTokens: fields.max_completion_tokens ?? fields.max_tokens,
      defaultMaxTokens: Number.POSITIVE_INFINITY,
      logprobs: logprobs ? (top ?? 0) : undefined,
      promptLogprobs: fields.prompt_logprobs,
    },
    scope,
  );
  return { plan, format: new ChatFormat(plan, scope.model.texts), isEchoOnly: false };
}

/** The token ids that a conversation becomes. */
export function chatPrompt(
  body: Fields,
  { model, maxContextLength }: Pick<RequestScope, 'model' | 'maxContextLength'>,
): readonly number[] {
  const { chatTemplate, texts } = model;
  const fields = readFields(body, CHAT_PROMPT_FIELDS);
  if (fields.messages === undefined) throw badRequest('messages must be there', 'messages');
  const { text, addSpecialTokens } = chatTemplate.render({
    messages: fields.messages,
    addGenerationPrompt: fields.add_generation_prompt,
    variables: fields.chat_template_kwargs,
  });
  return encodePrompt(texts, text, {
    addSpecialTokens: addSpecialTokens || fields.add_special_tokens,
    maxContextLength,
    field: 'messages',
  });
}
