import type { StructuredOutputs } from '../../client/index.ts';
import type { Fields } from '../../core/support/fields.ts';
import { badRequest } from '../http-error.ts';
import { flag, list, mustBe, object, optional, type Reader, readFields, text } from './fields.ts';

/** More than any request may have; which number is sensible is for the engine's own check. */
const MAX_CHOICES = 2 ** 16;

/** A schema as an object, or as JSON text. */
const schema: Reader<object | string> = (value, name) =>
  typeof value === 'string' ? value : object(value, name);

const JSON_SCHEMA_FIELDS = {
  name: optional(text),
  description: optional(text),
  schema: optional(schema),
  // Texts validate either way.
  strict: optional(flag),
};

/** Reads OpenAI's `response_format`; undefined for `text`, which asks for nothing. */
export function responseFormat(value: unknown, name: string): StructuredOutputs | undefined {
  const { type, json_schema: described } = object(value, name);
  if (type === 'text') return undefined;
  if (type === 'json_object') return { jsonObject: true };
  if (type !== 'json_schema')
    throw mustBe(`${name}.type`, 'text, json_object or json_schema', type);
  const inner = `${name}.json_schema`;
  const { schema: json } = readNamed(object(described, inner), JSON_SCHEMA_FIELDS, inner);
  if (json === undefined) throw mustBe(`${inner}.schema`, 'an object', json);
  return { json };
}

const OUTPUT_FIELDS = {
  json: optional(schema),
  json_object: optional(flag),
  regex: optional(text),
  choice: optional(list(text, MAX_CHOICES)),
};

/** Fields of vLLM that would change which texts are allowed. */
const UNSUPPORTED = ['grammar', 'structural_tag', 'whitespace_pattern'];

/** Reads vLLM's `structured_outputs`. */
export function structuredOutputs(value: unknown, name: string): StructuredOutputs | undefined {
  const fields = object(value, name);
  for (const field of UNSUPPORTED) {
    const isThere = (fields[field] ?? undefined) !== undefined;
    if (isThere) throw badRequest(`${name}.${field} is not supported`, `${name}.${field}`);
  }
  const { json_object: jsonObject, ...others } = readNamed(fields, OUTPUT_FIELDS, name);
  return { ...others, ...(jsonObject === true && { jsonObject }) };
}

/** The one constraint of a request; throws a 400 for several. */
export function oneConstraint(
  format: StructuredOutputs | undefined,
  outputs: StructuredOutputs | undefined,
): StructuredOutputs | undefined {
  const given = [format, outputs].flatMap((each) =>
    Object.entries(each ?? {}).filter(([, value]) => value !== undefined),
  );
  if (given.length > 1) {
    throw badRequest(
      'structured_outputs must have one of json, json_object, regex and choice, and none beside a response_format that is not text',
      'structured_outputs',
    );
  }
  if (outputs !== undefined && given.length === 0) {
    throw badRequest(
      'structured_outputs must have one of json, json_object, regex and choice',
      'structured_outputs',
    );
  }
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** Reads the fields of an object that has a name of its own. */
function readNamed<Table extends Parameters<typeof readFields>[1]>(
  body: Fields,
  table: Table,
  name: string,
): ReturnType<typeof readFields<Table>> {
  const named = Object.entries(table).map(([key, { read, fallback }]) => [
    key,
    { fallback, read: (value: unknown) => read(value, `${name}.${key}`) },
  ]);
  return readFields(body, Object.fromEntries(named) as Table);
}
