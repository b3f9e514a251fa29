import type { Prompt } from '../../rpc/inference-types.ts';
import { badRequest } from '../http-error.ts';
import { mustBe } from './fields.ts';

const MAX_PROMPTS = 256;
const CHOICE = 'a string, an array of strings, of token ids, or of arrays of token ids';

/** The prompts of a completion: one or several, as texts or as token ids. */
export function prompts(value: unknown, name: string): readonly Prompt[] {
  if (typeof value === 'string') return [{ kind: 'text', text: value }];
  if (!Array.isArray(value)) throw mustBe(name, CHOICE, value);
  if (value.length === 0) throw badRequest(`${name} must not be an empty array`, name);
  if (typeof value[0] === 'number') return [tokenPrompt(value, name)];
  if (value.length > MAX_PROMPTS) {
    throw badRequest(`${name} must have at most ${MAX_PROMPTS} prompts, not ${value.length}`, name);
  }
  return value.map((each: unknown, index) => prompt(each, `${name}[${index}]`));
}

function prompt(value: unknown, name: string): Prompt {
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (Array.isArray(value)) return tokenPrompt(value, name);
  throw mustBe(name, 'a string or an array of token ids', value);
}

function tokenPrompt(ids: readonly unknown[], name: string): Prompt {
  const bad = ids.findIndex((id) => !(Number.isInteger(id) && Number(id) >= 0));
  if (bad >= 0) throw mustBe(`${name}[${bad}]`, 'a token id', ids[bad]);
  return { kind: 'tokens', tokenIds: ids as readonly number[] };
}
