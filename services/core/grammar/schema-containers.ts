import { isFields } from '../support/fields.ts';
import {
  choice,
  EMPTY,
  type Expression,
  NOTHING,
  optional,
  repeat,
  sequence,
  shared,
  text,
} from './expression.ts';
import { ANY_ARRAY, ANY_OBJECT, COLON, COMMA, keyOtherThan } from './json-text.ts';
import type { SchemaNode } from './schema-node.ts';

/** Compiles a schema inside another; `place` is where it stands there. */
type Compile = (schema: unknown, place: string) => Expression;

/** Telling other names from these takes time for each of their characters. */
const MAX_NAMES_LENGTH = 4_096;

/**
 * Arrays: items of `prefixItems` in order, then items of `items`. All of the prefix is there, unless
 * `maxItems` forbids it, and nothing after it that `items` does not ask for.
 */
export function arrayExpression(node: SchemaNode, compile: Compile): Expression {
  const prefix = node
    .list('prefixItems')
    .map((schema, index) => shared(compile(schema, `prefixItems/${index}`)));
  const { items = prefix.length === 0 } = node.fields;
  if (Array.isArray(items)) throw node.refuse('have one schema as items: a list is prefixItems');
  const [minItems, maxItems] = [node.count('minItems'), node.count('maxItems')];
  if (items === true && (minItems ?? maxItems) === undefined && prefix.length === 0)
    return ANY_ARRAY;
  const item = shared(compile(items, 'items'));
  const most = maxItems ?? Number.POSITIVE_INFINITY;
  const least = minItems ?? Math.min(prefix.length, most);
  if (least > most) return NOTHING;
  const first = prefix.slice(0, most);
  const rest = { least: Math.max(0, least - first.length), most: most - first.length };
  return sequence(text('['), elements(first, item, rest), text(']'));
}

function elements(
  prefix: readonly Expression[],
  item: Expression,
  { least, most }: { readonly least: number; readonly most: number },
): Expression {
  const [first, ...others] = prefix;
  const next = sequence(COMMA, item);
  if (first !== undefined) {
    const listed = others.map((other) => sequence(COMMA, other));
    return sequence(first, ...listed, repeat(next, least, most));
  }
  if (most === 0) return EMPTY;
  const some = sequence(item, repeat(next, Math.max(0, least - 1), most - 1));
  return least === 0 ? optional(some) : some;
}

/**
 * Objects: the schema's properties in its order, the required ones always; then others where
 * `additionalProperties` asks for them. An object of which nothing is said may be any.
 */
export function objectExpression(node: SchemaNode, compile: Compile): Expression {
  const { properties = {}, additionalProperties: others } = node.fields;
  if (!isFields(properties)) throw node.refuse('have an object as properties');
  const required = new Set(node.list('required'));
  const names = Object.keys(properties);
  if (names.length === 0 && required.size === 0 && others === undefined) return ANY_OBJECT;
  const missing = [...required].find((name) => !Object.hasOwn(properties, name as string));
  if (missing !== undefined) {
    throw node.refuse(`have every required name among its properties, not ${String(missing)}`);
  }
  const members = names.map((name): Member => {
    const value = compile(properties[name], `properties/${escapePointer(name)}`);
    const key = text(JSON.stringify(name));
    return { expression: shared(sequence(key, COLON, value)), isRequired: required.has(name) };
  });
  const other = others === undefined ? NOTHING : otherMember(node, names, compile);
  return sequence(text('{'), membersExpression(members, other), text('}'));
}

/** A member that `additionalProperties` asks for. */
function otherMember(node: SchemaNode, names: readonly string[], compile: Compile): Expression {
  const value = compile(node.fields.additionalProperties, 'additionalProperties');
  if (value === NOTHING) return NOTHING;
  const length = names.reduce((sum, name) => sum + name.length, 0);
  if (length > MAX_NAMES_LENGTH) {
    throw node.refuse(
      `have property names of at most ${MAX_NAMES_LENGTH} characters together beside additionalProperties, not ${length}`,
    );
  }
  return shared(sequence(keyOtherThan(names), COLON, value));
}

interface Member {
  readonly expression: Expression;
  readonly isRequired: boolean;
}

/** Every tail of the list is a rule of its own, once as the start of an object and once after a member. */
function membersExpression(members: readonly Member[], other: Expression): Expression {
  const more = repeat(sequence(COMMA, other), 0, Number.POSITIVE_INFINITY);
  let start = optional(sequence(other, more));
  let after: Expression = more;
  for (const { expression, isRequired } of [...members].reverse()) {
    const here = sequence(expression, after);
    const later = sequence(COMMA, expression, after);
    start = shared(isRequired ? here : choice(here, start));
    after = shared(isRequired ? later : choice(later, after));
  }
  return start;
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
