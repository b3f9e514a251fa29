import { badRequest } from '../http-error.ts';
import type { TokenTexts } from '../token-texts.ts';

export interface EncodeOptions {
  readonly addSpecialTokens: boolean;
  readonly maxContextLength: number;
  /** The field that the text comes from. */
  readonly field: string;
}

/** Texts up to this length are always read. */
const ALWAYS_READ_CHARACTERS = 64 * 1024;

/**
 * The token ids of a text. Throws a 400, without reading it, where a text is longer than any
 * prompt can be: to tokenize holds everybody up.
 */
export function encodePrompt(
  texts: TokenTexts,
  text: string,
  { addSpecialTokens, maxContextLength, field }: EncodeOptions,
): readonly number[] {
  const longest = Math.max(ALWAYS_READ_CHARACTERS, maxContextLength * texts.longestTokenBytes);
  if (text.length <= longest) return texts.encode(text, { addSpecialTokens });
  throw badRequest(
    `This model's maximum context length is ${maxContextLength} tokens. However, ${field} has ${text.length} characters, and at most ${longest} can fit. Please reduce its length.`,
    field,
  );
}
