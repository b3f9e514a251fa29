import { closest } from 'fastest-levenshtein';
import { InvalidArgumentError } from './errors.ts';

/**
 * The item of that name, case and separators aside; else an InvalidArgumentError that names the
 * nearest valid choice.
 */
export function findNamed<T>(
  items: readonly T[],
  wanted: string,
  options: { readonly field: string; readonly namesOf: (item: T) => readonly string[] },
): T {
  const key = normalize(wanted);
  const found = items.find((item) => options.namesOf(item).some((name) => normalize(name) === key));
  if (found !== undefined) return found;
  const names = items.flatMap((item) => options.namesOf(item).slice(0, 1));
  throw new InvalidArgumentError(
    `${options.field} must be one of ${names.join(', ')}, not ${JSON.stringify(wanted)}; the nearest is ${nearestName(names, wanted)}`,
  );
}

/** The name that takes the fewest changes to become `wanted`, case and separators aside. */
export function nearestName(names: readonly string[], wanted: string): string {
  const nearest = closest(normalize(wanted), names.map(normalize));
  return names.find((name) => normalize(name) === nearest) ?? '';
}

function normalize(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_./-]+/g, '-');
}
