import { describeValue, isFields } from '../support/fields.ts';
import type { Refuse } from './constraint.ts';
import { excludeEachOther } from './exclusive-schemas.ts';
import { choice, type Expression, NOTHING, recursive, shared, texts } from './expression.ts';
import { integerWithin, type NumberBounds, numberWithin } from './json-number.ts';
import { ANY_VALUE, BOOLEAN, jsonCharacter, NULL, quoted, stringOf } from './json-text.ts';
import { compileRegex } from './regex.ts';
import { arrayExpression, objectExpression } from './schema-containers.ts';
import { SchemaNode, type Type } from './schema-node.ts';

/** Schemas inside schemas; more would exhaust the call stack of who reads them. */
const MAX_DEPTH = 64;

/** Each of them is compared with every other. */
const MAX_EXCLUSIVE = 128;

/** What strings of a format look like: fewer than the format allows, but only such. */
const FORMATS: Readonly<Record<string, string>> = {
  date: dateFormat(),
  time: timeFormat(),
  'date-time': `${dateFormat()}T${timeFormat()}`,
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  ipv4: `${octet()}(\\.${octet()}){3}`,
  email: '[a-z0-9]([._+-]?[a-z0-9]){0,31}@[a-z0-9](-?[a-z0-9]){0,20}(\\.[a-z]{2,10}){1,3}',
};

/**
 * The JSON texts that validate against a schema, or some of them: properties in the order of the
 * schema, no others unless `additionalProperties` asks for them, no white space but one space after a
 * comma or colon. What is not supported is refused, never passed over.
 */
export function compileJsonSchema(schema: string, refuse: Refuse): Expression {
  let document: unknown;
  try {
    document = JSON.parse(schema);
  } catch {
    throw refuse('be JSON');
  }
  return new SchemaCompiler(document, refuse).compile(document, '');
}

class SchemaCompiler {
  readonly #document: unknown;
  readonly #refuse: Refuse;
  /** By the place that a `$ref` names. */
  readonly #referred = new Map<string, Expression>();
  #depth = 0;

  constructor(document: unknown, refuse: Refuse) {
    this.#document = document;
    this.#refuse = refuse;
  }

  compile(schema: unknown, pointer: string): Expression {
    if (schema === true) return ANY_VALUE;
    if (schema === false) return NOTHING;
    const node = this.#nodeOf(schema, pointer);
    if (++this.#depth > MAX_DEPTH) throw node.refuse(`be nested at most ${MAX_DEPTH} deep`);
    const expression = this.#expressionOf(node);
    this.#depth--;
    return expression;
  }

  #nodeOf(schema: unknown, pointer: string): SchemaNode {
    if (isFields(schema)) return new SchemaNode(schema, pointer, this.#refuse);
    throw this.#refuse(
      `have an object or a boolean as schema, not ${describeValue(schema)} (at ${pointer || 'its root'})`,
    );
  }

  #expressionOf(node: SchemaNode): Expression {
    const { alternative } = node;
    if (alternative === '$ref') return this.#referredBy(node);
    if (alternative !== undefined) return this.#alternatives(node, alternative);
    const { values, types } = node;
    if (values !== undefined) return texts(values.map((value) => serialise(value, node)));
    if (types === undefined) return ANY_VALUE;
    return choice(...types.map((type) => this.#typed(node, type)));
  }

  #referredBy(node: SchemaNode): Expression {
    const place = this.#placeOf(node);
    const known = this.#referred.get(place);
    if (known !== undefined) return known;
    return recursive((self) => {
      this.#referred.set(place, self);
      return this.compile(this.#find(node), place);
    });
  }

  #placeOf(node: SchemaNode): string {
    const reference = node.text('$ref')!;
    if (reference === '#' || reference.startsWith('#/')) return reference.slice(1);
    throw node.refuse(
      `have # or a JSON pointer into itself such as #/$defs/name as $ref, not ${describeValue(reference)}`,
    );
  }

  /** The schema that a `$ref` names. */
  #find(node: SchemaNode): unknown {
    let found: unknown = this.#document;
    for (const part of this.#placeOf(node).split('/').slice(1)) {
      const name = decodePart(part);
      const isThere = (isFields(found) || Array.isArray(found)) && Object.hasOwn(found, name);
      if (!isThere)
        throw node.refuse(`have a $ref to a schema that is there, not ${node.text('$ref')}`);
      found = (found as Record<string, unknown>)[name];
    }
    return found;
  }

  #alternatives(node: SchemaNode, keyword: 'anyOf' | 'oneOf' | 'allOf'): Expression {
    const schemas = node.list(keyword);
    if (schemas.length === 0) throw node.refuse(`have at least one schema in ${keyword}`);
    if (keyword === 'allOf' && schemas.length > 1) {
      throw node.refuse('have only one schema in allOf: more are not supported');
    }
    if (keyword === 'oneOf' && schemas.length > MAX_EXCLUSIVE) {
      throw node.refuse(`have at most ${MAX_EXCLUSIVE} schemas in oneOf, not ${schemas.length}`);
    }
    const resolve = (schema: unknown): unknown => this.#resolved(schema, node.pointer);
    if (keyword === 'oneOf' && !excludeEachOther(schemas.map(resolve), resolve)) {
      throw node.refuse(
        'have schemas in oneOf that exclude each other by type, by const or enum, or by those of a required property',
      );
    }
    return choice(
      ...schemas.map((schema, index) =>
        this.compile(schema, `${node.pointer}/${keyword}/${index}`),
      ),
    );
  }

  /** The schema behind a chain of references; one that runs in a circle stays a reference. */
  #resolved(schema: unknown, pointer: string): unknown {
    let found = schema;
    for (let hops = 0; isFields(found) && found.$ref !== undefined && hops < MAX_DEPTH; hops++) {
      found = this.#find(this.#nodeOf(found, pointer));
    }
    return found;
  }

  #typed(node: SchemaNode, type: Type): Expression {
    const compile = (schema: unknown, place: string): Expression =>
      this.compile(schema, `${node.pointer}/${place}`);
    switch (type) {
      case 'null':
        return NULL;
      case 'boolean':
        return BOOLEAN;
      case 'integer':
        return integerWithin(boundsOf(node));
      case 'number':
        return numberWithin(boundsOf(node));
      case 'string':
        return stringExpression(node);
      case 'array':
        return arrayExpression(node, compile);
      case 'object':
        return objectExpression(node, compile);
    }
  }
}

function boundsOf(node: SchemaNode): NumberBounds {
  return {
    minimum: node.number('minimum'),
    exclusiveMinimum: node.number('exclusiveMinimum'),
    maximum: node.number('maximum'),
    exclusiveMaximum: node.number('exclusiveMaximum'),
  };
}

/** A pattern says more than a format, which describes and does not decide. */
function stringExpression(node: SchemaNode): Expression {
  const [least, most] = [node.count('minLength'), node.count('maxLength')];
  const [pattern, format] = [node.text('pattern'), node.text('format')];
  if (pattern === undefined && format === undefined) {
    return stringOf(least ?? 0, most ?? Number.POSITIVE_INFINITY);
  }
  if (least !== undefined || most !== undefined) {
    throw node.refuse('not have minLength or maxLength beside pattern or format');
  }
  const known = format === undefined ? undefined : FORMATS[format];
  if (pattern === undefined && known === undefined) {
    const choices = Object.keys(FORMATS).join(', ');
    throw node.refuse(`have ${choices} as format, not ${describeValue(format)}`);
  }
  const content = compileRegex(pattern ?? known!, {
    encode: jsonCharacter,
    isWhole: pattern === undefined,
    refuse: (sentence) => node.refuse(sentence),
  });
  return quoted(shared(content));
}

/** A value as compact JSON. */
function serialise(value: unknown, node: SchemaNode): string {
  if (
    JSON.stringify(value, (_, each) => (isInfinite(each) ? undefined : each)) !==
    JSON.stringify(value)
  ) {
    throw node.refuse('have numbers that a double holds');
  }
  return JSON.stringify(value);
}

function isInfinite(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

/** One part of a JSON pointer in a URI fragment. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}

function dateFormat(): string {
  const long = '(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])';
  const short = '(0[469]|11)-(0[1-9]|[12][0-9]|30)';
  const february = '02-(0[1-9]|1[0-9]|2[0-8])';
  return `[0-9]{4}-(${long}|${short}|${february})`;
}

function timeFormat(): string {
  const clock = '([01][0-9]|2[0-3]):[0-5][0-9]';
  return `${clock}:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]${clock})`;
}

function octet(): string {
  return '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
}
