import { ModelError } from './errors.ts';

/** A parsed JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a parsed JSON value is an object rather than a list, a scalar or null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as an error message shows it: JSON, cut where it is long. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Reads a positive integer up to `max`; null counts as absent, which only a fallback permits. */
export function readInteger(
  fields: Fields,
  name: string,
  bounds: { readonly max: number; readonly fallback?: number },
): number {
  const value = fields[name] ?? bounds.fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= bounds.max) {
    return value;
  }
  throw new ModelError(
    `${name} must be an integer from 1 to ${bounds.max}, not ${describeValue(value)}`,
  );
}

/**
 * Reads a number above `above` and up to `max`; null counts as absent, which only a fallback
 * permits.
 */
export function readNumber(
  fields: Fields,
  name: string,
  bounds: { readonly above: number; readonly max: number; readonly fallback?: number },
): number {
  const value = fields[name] ?? bounds.fallback;
  if (typeof value === 'number' && value > bounds.above && value <= bounds.max) return value;
  throw new ModelError(
    `${name} must be a number above ${bounds.above} and up to ${bounds.max}, not ${describeValue(value)}`,
  );
}
