import type { Fields } from '../../core/support/fields.ts';
import { HttpError } from '../http-error.ts';

/** A field that would change the answer, and the values of it that do not. */
interface UnsupportedField {
  readonly name: string;
  readonly isHarmless: (value: unknown, body: Fields) => boolean;
  /** What to use in its place, where there is something. */
  readonly instead?: string;
}

const never = (): boolean => false;
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const isFalse = (value: unknown): boolean => value === false;

/** What is known and would be ignored wrongly; unknown fields are accepted as they are in vLLM. */
const UNSUPPORTED: readonly UnsupportedField[] = [
  { name: 'suffix', isHarmless: (value) => value === '' },
  // As many as are answered with: none is left out.
  { name: 'best_of', isHarmless: (value, { n }) => value === (n ?? 1) },
  { name: 'use_beam_search', isHarmless: isFalse },
  { name: 'prompt_embeds', isHarmless: never },
  { name: 'allowed_token_ids', isHarmless: isEmptyList },
  { name: 'bad_words', isHarmless: isEmptyList },
  { name: 'truncate_prompt_tokens', isHarmless: never },
  { name: 'skip_special_tokens', isHarmless: (value) => value === true },
  // vLLM had these before 0.12.
  { name: 'guided_json', isHarmless: never, instead: 'structured_outputs.json' },
  { name: 'guided_regex', isHarmless: never, instead: 'structured_outputs.regex' },
  { name: 'guided_choice', isHarmless: never, instead: 'structured_outputs.choice' },
  { name: 'guided_grammar', isHarmless: never },
  { name: 'guided_whitespace_pattern', isHarmless: never },
  { name: 'structural_tag', isHarmless: never },
  { name: 'functions', isHarmless: isEmptyList },
  { name: 'chat_template', isHarmless: never },
  { name: 'continue_final_message', isHarmless: isFalse },
];

/** Refuses with 400 what this server would have to do and cannot. */
export function refuseUnsupported(body: Fields): void {
  refuseToolCalls(body);
  for (const { name, isHarmless, instead } of UNSUPPORTED) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (value === undefined || value === null || isHarmless(value, body)) continue;
    const hint = instead === undefined ? '' : `: ${instead} has taken its place`;
    throw new HttpError(400, `${name} is not supported${hint}`, { param: name });
  }
}

/** As vLLM says it, and what to do. */
const NO_AUTO_CHOICE = [
  '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
  'this server has neither; tool_choice "none" answers with text',
].join(': ');
const NO_CALLS = [
  'tool_choice must be "none": this server calls no tools',
  'structured_outputs.json keeps a text to a schema',
].join('; ');

/** Tools are passed over where none is to be called, as in vLLM without a parser of calls. */
function refuseToolCalls({ tools, tool_choice: given }: Fields): void {
  const hasTools = tools !== undefined && tools !== null && !isEmptyList(tools);
  const choice = given ?? (hasTools ? 'auto' : 'none');
  if (choice === 'none' || (choice === 'auto' && !hasTools)) return;
  const message = choice === 'auto' ? NO_AUTO_CHOICE : NO_CALLS;
  throw new HttpError(400, message, { param: 'tool_choice' });
}
