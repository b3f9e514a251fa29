import { InvalidArgumentError as InvalidOptionError, Option } from 'commander';
import { nearestName } from '../../core/support/nearest.ts';

/** What JSON Schema says of a value. */
export type ValueSchema = Readonly<Record<string, unknown>>;

/** Parses a value's text, and knows what the value looks like where it is no text. */
export type ValueParser<T> = ((text: string) => T) & { readonly schema: ValueSchema };

/** Adds to a parser what it accepts. */
export function withSchema<Parse extends (text: string, earlier: never) => unknown>(
  schema: ValueSchema,
  parse: Parse,
): Parse & { readonly schema: ValueSchema } {
  return Object.assign(parse, { schema });
}

const MAX_WHOLE_NUMBER = 0xffffffff;

/** A parser of whole numbers from `minimum`. */
export function wholeNumber(minimum: number): ValueParser<number> {
  return withSchema({ type: 'integer', minimum, maximum: MAX_WHOLE_NUMBER }, (text: string) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= MAX_WHOLE_NUMBER) return value;
    throw new InvalidOptionError(`It must be a whole number from ${minimum}.`);
  });
}

const MAX_PORT = 65_535;

/** Parses a port; 0 is a free one. */
export const portNumber = withSchema(
  { type: 'integer', minimum: 0, maximum: MAX_PORT },
  (text: string) => {
    if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
    throw new InvalidOptionError(`It must be a whole number from 0 to ${MAX_PORT}.`);
  },
);

/** A parser of numbers from `minimum` to `maximum`. */
export function numberBetween(minimum: number, maximum: number): ValueParser<number> {
  return withSchema({ type: 'number', minimum, maximum }, (text: string) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= minimum && value <= maximum) return value;
    throw new InvalidOptionError(`It must be a number from ${minimum} to ${maximum}.`);
  });
}

/** A parser of numbers above 0, or `inf` for no limit. */
export const positiveOrInfinite = withSchema(
  { anyOf: [{ type: 'number', exclusiveMinimum: 0 }, { const: 'inf' }] },
  (text: string) => {
    const value = text === 'inf' ? Number.POSITIVE_INFINITY : Number(text);
    if (text.trim() !== '' && value > 0) return value;
    throw new InvalidOptionError('It must be a number above 0, or inf.');
  },
);

const URLS = /^https?:\/\/[^\s,/]+\/?(,https?:\/\/[^\s,/]+\/?)*$/;

/** Parses base URLs of HTTP servers, with commas between them. */
export const httpUrls = withSchema(
  { type: 'string', pattern: URLS.source },
  (text: string): readonly string[] => {
    const urls = text.split(',');
    if (URLS.test(text) && urls.every((url) => URL.canParse(url))) return urls;
    throw new InvalidOptionError(
      'It must be a URL such as http://nats:8222, or several with commas.',
    );
  },
);

/** An option with a fixed set of values, of which an error names the nearest; numbers are parsed. */
export function choice<T extends string | number>(
  flags: string,
  description: string,
  values: readonly T[],
  fallback?: T,
): Option {
  const names = values.map(String);
  const parse = withSchema({ enum: values }, (text: string) => {
    const value = values[names.indexOf(text)];
    if (value !== undefined) return value;
    const isWord = typeof values[0] === 'string';
    const nearest = isWord ? `; the nearest is ${nearestName(names, text)}` : '';
    throw new InvalidOptionError(`It must be one of ${names.join(', ')}${nearest}.`);
  });
  return new Option(flags, description).default(fallback).choices(names).argParser(parse);
}
