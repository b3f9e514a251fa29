import type { Range } from '../hardware/figure.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import { describeValue, type Fields, isFields } from '../support/fields.ts';
import { findNamed } from '../support/nearest.ts';

const MAX_INTEGER = 2 ** 31;
const MAX_NUMBER = 1e24;

/** An object of a claim's file; what it refuses is an InvalidArgumentError with the field's path. */
export class ClaimFields {
  readonly #fields: Fields;
  readonly #prefix: string;

  private constructor(fields: Fields, prefix: string) {
    this.#fields = fields;
    this.#prefix = prefix;
  }

  /** The object with those fields and no others; `path` is its place in the file. */
  static of(json: unknown, names: readonly string[], path = ''): ClaimFields {
    if (!isFields(json)) {
      throw new InvalidArgumentError(
        `${path || 'claim'} must be a JSON object, not ${describeValue(json)}`,
      );
    }
    for (const name of Object.keys(json)) {
      findNamed(names, name, {
        field: `${path === '' ? 'claim' : path}.field`,
        namesOf: (known) => [known],
      });
    }
    return new ClaimFields(json, path === '' ? '' : `${path}.`);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && value.trim() !== '') return value;
    throw this.#refusal(name, 'a text');
  }

  integer(name: string, max = MAX_INTEGER): number {
    const value = this.#fields[name];
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) {
      return value as number;
    }
    throw this.#refusal(name, `an integer from 1 to ${max}`);
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (isAmount(value)) return value;
    throw this.#refusal(name, 'a number above 0');
  }

  /** A number, or both ends of what it may be. */
  range(name: string): Range {
    const value = this.#fields[name];
    const { low, high } = isFields(value) ? value : { low: value, high: value };
    if (isAmount(low) && isAmount(high) && low <= high) return { low, high };
    throw this.#refusal(name, 'a number above 0, or {"low": …, "high": …} in that order');
  }

  share(name: string): number {
    const { low } = this.shares(name);
    if (typeof this.#fields[name] === 'number') return low;
    throw this.#refusal(name, 'a share above 0 and up to 1');
  }

  /** A share, or both ends of it. */
  shares(name: string): Range {
    const range = this.range(name);
    if (range.high <= 1) return range;
    const nearest = range.high <= 100 ? `; ${range.high} % is ${range.high / 100}` : '';
    throw this.#refusal(name, 'a share above 0 and up to 1', nearest);
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    if (!this.has(name)) return fallback;
    return findNamed(choices, this.text(name), {
      field: `${this.#prefix}${name}`,
      namesOf: (item) => [item],
    });
  }

  object(name: string, names: readonly string[]): ClaimFields {
    return ClaimFields.of(this.#fields[name], names, `${this.#prefix}${name}`);
  }

  /** A list of objects; none where the field is absent. */
  objects(name: string, names: readonly string[]): readonly ClaimFields[] {
    const value = this.#fields[name] ?? [];
    if (!Array.isArray(value)) throw this.#refusal(name, 'a list of objects');
    return value.map((item, index) =>
      ClaimFields.of(item, names, `${this.#prefix}${name}[${index}]`),
    );
  }

  /** Texts by the names of fields; none where the field is absent. */
  texts(name: string, names: readonly string[]): Readonly<Record<string, string>> {
    if (!this.has(name)) return {};
    const inner = this.object(name, names);
    return Object.fromEntries(
      Object.keys(this.#fields[name] as Fields).map((key) => [key, inner.text(key)]),
    );
  }

  #refusal(name: string, valid: string, more = ''): InvalidArgumentError {
    return new InvalidArgumentError(
      `${this.#prefix}${name} must be ${valid}, not ${describeValue(this.#fields[name])}${more}`,
    );
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= MAX_NUMBER;
}
