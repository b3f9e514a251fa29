import type { ChatMessage } from '../chat-template.ts';
import { badRequest } from '../http-error.ts';
import { list, mustBe, object, text } from './fields.ts';

const MAX_MESSAGES = 4096;
const MAX_PARTS = 1024;

/** The messages of a chat, their contents as one text each. */
export function messages(value: unknown, name: string): readonly ChatMessage[] {
  const found = list(message, MAX_MESSAGES)(value, name);
  if (found.length > 0) return found;
  throw badRequest(`${name} must not be empty`, name);
}

function message(value: unknown, name: string): ChatMessage {
  const fields = object(value, name);
  const { role, content } = fields;
  return {
    ...fields,
    role: text(role, `${name}.role`),
    content: contentOf(content, `${name}.content`),
  };
}

/** An assistant's message that only calls tools has no content. */
function contentOf(content: unknown, name: string): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw mustBe(name, 'a string or an array of parts', content);
  return list(textPart, MAX_PARTS)(content, name).join('\n');
}

function textPart(value: unknown, name: string): string {
  const part = object(value, name);
  if (part.type === 'text') return text(part.text, `${name}.text`);
  throw mustBe(`${name}.type`, '"text": the model reads nothing else', part.type);
}
