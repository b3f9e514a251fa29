import { InvalidArgumentError as InvalidOptionError, Option } from 'commander';
import { nearestName } from '../../core/support/nearest.ts';

/** A parser of whole numbers from `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= 0xffffffff) return value;
    throw new InvalidOptionError(`It must be a whole number from ${minimum}.`);
  };
}

const MAX_PORT = 65_535;

/** Parses a port; 0 is a free one. */
export function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
  throw new InvalidOptionError(`It must be a whole number from 0 to ${MAX_PORT}.`);
}

/** A parser of numbers from `minimum` to `maximum`. */
export function numberBetween(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= minimum && value <= maximum) return value;
    throw new InvalidOptionError(`It must be a number from ${minimum} to ${maximum}.`);
  };
}

/** A parser of numbers above 0, or `inf` for no limit. */
export function positiveOrInfinite(text: string): number {
  const value = text === 'inf' ? Number.POSITIVE_INFINITY : Number(text);
  if (text.trim() !== '' && value > 0) return value;
  throw new InvalidOptionError('It must be a number above 0, or inf.');
}

/** An option with a fixed set of values, of which an error names the nearest; numbers are parsed. */
export function choice<T extends string | number>(
  flags: string,
  description: string,
  values: readonly T[],
  fallback: T,
): Option {
  const names = values.map(String);
  return new Option(flags, description)
    .default(fallback)
    .choices(names)
    .argParser((text: string) => {
      const value = values[names.indexOf(text)];
      if (value !== undefined) return value;
      const isWord = typeof fallback === 'string';
      const nearest = isWord ? `; the nearest is ${nearestName(names, text)}` : '';
      throw new InvalidOptionError(`It must be one of ${names.join(', ')}${nearest}.`);
    });
}
