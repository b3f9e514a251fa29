import { Command, type Option } from 'commander';
import type { GenerateRequest } from '../../client/index.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { findNamed } from '../../core/support/nearest.ts';
import {
  addRequestOptions,
  checkRequestOptions,
  type RequestOptions,
  requestOf,
} from '../run/request-options.ts';

/** What of a request may be set in a chat; the options are those of `sohu run`. */
const CHAT_FIELDS: readonly (keyof RequestOptions)[] = [
  ...(['temperature', 'topP', 'topK', 'minP', 'seed', 'maxTokens', 'minTokens'] as const),
  ...(['repetitionPenalty', 'presencePenalty', 'frequencyPenalty'] as const),
  ...(['stop', 'stopTokenIds', 'ignoreEos'] as const),
];
/** A conversation that always takes the likeliest token repeats itself. */
const CHAT_DEFAULTS = { temperature: 0.8, maxTokens: 256 } as const;

const RUN = addRequestOptions(new Command());
const OPTIONS = RUN.options.filter((option) => CHAT_FIELDS.includes(fieldOf(option)));
const RESET = 'default';

/** Adds the options that begin a chat; `/set` changes them later. */
export function addParameterOptions(command: Command): Command {
  for (const option of OPTIONS) {
    const fallback = CHAT_DEFAULTS[fieldOf(option) as keyof typeof CHAT_DEFAULTS];
    if (fallback !== undefined) option.default(fallback);
    command.addOption(option);
  }
  return command;
}

/** How the answers of a chat are drawn, by vLLM's names. */
export class ChatParameters {
  readonly #defaults: RequestOptions;
  #values: RequestOptions;

  /** Throws an InvalidArgumentError for values that no server takes. */
  constructor(options: Partial<RequestOptions>) {
    this.#defaults = { ...RUN.opts<RequestOptions>(), ...CHAT_DEFAULTS };
    const given = CHAT_FIELDS.filter((field) => options[field] !== undefined);
    this.#values = this.#checked(Object.fromEntries(given.map((field) => [field, options[field]])));
  }

  /**
   * Sets a parameter from the words of the user; `default` sets it back. Throws an
   * InvalidArgumentError that names the parameter, and leaves it as it was.
   */
  set(name: string, words: readonly string[]): void {
    const option = findNamed(OPTIONS, name, { field: 'parameter', namesOf: (it) => [nameOf(it)] });
    const field = fieldOf(option);
    const isReset = words.length === 1 && words[0] === RESET;
    const value = isReset ? this.#defaults[field] : parseWords(option, words);
    this.#values = this.#checked({ [field]: value });
  }

  /** The names, values and meanings, for the user. */
  list(): { readonly name: string; readonly value: string; readonly meaning: string }[] {
    return OPTIONS.map((option) => {
      const value = this.#values[fieldOf(option)];
      const text = value === undefined ? '' : JSON.stringify(value);
      return { name: nameOf(option), value: text, meaning: option.description };
    });
  }

  get maxTokens(): number {
    return this.#values.maxTokens;
  }

  request(): Omit<GenerateRequest, 'prompt'> {
    return requestOf(this.#values);
  }

  #checked(changes: Partial<RequestOptions>): RequestOptions {
    const values = { ...(this.#values ?? this.#defaults), ...changes };
    checkRequestOptions(values);
    return values;
  }
}

/** The names that `/set` takes. */
export function parameterNames(): string[] {
  return OPTIONS.map(nameOf);
}

function parseWords(option: Option, words: readonly string[]): unknown {
  const name = nameOf(option);
  if (option.isBoolean()) return parseFlag(name, words);
  // Only an option that may be repeated takes several, and only a list can be empty.
  const isRepeatable = option.attributeName() === 'stop';
  if (words.length === 0 || (words.length > 1 && !isRepeatable)) {
    const values = isRepeatable ? 'one or more values' : 'one value';
    throw new InvalidArgumentError(`${name} needs ${values}, or ${RESET}, not ${words.length}`);
  }
  try {
    return words.reduce<unknown>((before, word) => option.parseArg!(word, before), undefined);
  } catch (error) {
    throw new InvalidArgumentError(
      `${name} cannot be ${JSON.stringify(words.join(' '))}. ${(error as Error).message}`,
    );
  }
}

function parseFlag(name: string, words: readonly string[]): true | undefined {
  const [word] = words;
  if (words.length === 1 && (word === 'true' || word === 'false'))
    return word === 'true' || undefined;
  throw new InvalidArgumentError(`${name} must be true, false or ${RESET}`);
}

function nameOf(option: Option): string {
  return option.long!.slice(2).replaceAll('-', '_');
}

function fieldOf(option: Option): keyof RequestOptions {
  return option.attributeName() as keyof RequestOptions;
}
