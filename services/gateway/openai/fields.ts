import { type Fields, isFields } from '../../core/support/fields.ts';
import { badRequest } from '../http-error.ts';

/** How a field of a request is read, and what it is where it is absent or null. */
export interface Field<T> {
  /** Throws a 400 that names the field. */
  readonly read: Reader<T>;
  readonly fallback: T;
}

/** Reads a value that is there; `name` is its place, for the sentence of the error. */
export type Reader<T> = (value: unknown, name: string) => T;

export type FieldTable = Readonly<Record<string, Field<unknown>>>;

export type FieldValues<Table extends FieldTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Field<infer T> ? T : never;
};

/** Reads every field of a table from a body; what the table does not know is passed over. */
export function readFields<Table extends FieldTable>(
  body: Fields,
  table: Table,
): FieldValues<Table> {
  const entries = Object.entries(table).map(([name, { read, fallback }]) => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    return [name, value === undefined || value === null ? fallback : read(value, name)];
  });
  return Object.fromEntries(entries) as FieldValues<Table>;
}

/** The body of a request, where it is a JSON object. */
export function readBody(body: unknown): Fields {
  if (isFields(body)) return body;
  throw badRequest(`the body must be a JSON object, not ${describe(body)}`);
}

/** A field with a fallback of its own type. */
export function field<T>(read: Reader<T>, fallback: T): Field<T> {
  return { read, fallback };
}

/** A field that may be absent. */
export function optional<T>(read: Reader<T>): Field<T | undefined> {
  return { read, fallback: undefined };
}

export function number(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  throw mustBe(name, 'a number', value);
}

/** A whole number of a range, ends included. */
export function whole(range: { readonly from: number; readonly to: number }): Reader<number> {
  return (value, name) => {
    if (Number.isInteger(value) && Number(value) >= range.from && Number(value) <= range.to) {
      return Number(value);
    }
    throw mustBe(name, `a whole number from ${range.from} to ${range.to}`, value);
  };
}

export function flag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw mustBe(name, 'true or false', value);
}

export function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw mustBe(name, 'a string', value);
}

/** A string of at most `most` UTF-16 units. */
export function shortText(most: number): Reader<string> {
  return (value, name) => {
    const { length } = text(value, name);
    if (length <= most) return value as string;
    throw badRequest(`${name} must have at most ${most} characters, not ${length}`, name);
  };
}

export function object(value: unknown, name: string): Fields {
  if (isFields(value)) return value;
  throw mustBe(name, 'an object', value);
}

/** An array of at most `most` items. */
export function list<T>(item: Reader<T>, most: number): Reader<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw mustBe(name, 'an array', value);
    if (value.length > most) {
      throw badRequest(`${name} must have at most ${most} items, not ${value.length}`, name);
    }
    return value.map((each: unknown, index) => item(each, `${name}[${index}]`));
  };
}

/** The error of a field with a value of the wrong kind. */
export function mustBe(name: string, choice: string, value: unknown): Error {
  return badRequest(`${name} must be ${choice}, not ${describe(value)}`, name);
}

const SHOWN_CHARACTERS = 40;

/** A value as an error shows it: never deep, never long. */
function describe(value: unknown): string {
  if (value === undefined) return 'absent';
  if (Array.isArray(value)) return 'an array';
  if (isFields(value)) return 'an object';
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown;
}
