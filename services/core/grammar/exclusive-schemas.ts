import { type Fields, isFields } from '../support/fields.ts';
import { isOfType, TYPES, type Type } from './schema-node.ts';

/** Follows references. */
type Resolve = (schema: unknown) => unknown;

/**
 * Whether no value can be valid for two of the schemas, as far as their types, the values that they
 * list, and those of properties that both require show it.
 */
export function excludeEachOther(schemas: readonly unknown[], resolve: Resolve): boolean {
  return schemas.every((schema, index) =>
    schemas.slice(index + 1).every((other) => excludes(schema, other, resolve)),
  );
}

function excludes(a: unknown, b: unknown, resolve: Resolve): boolean {
  if (!isFields(a) || !isFields(b)) return false;
  const [valuesA, valuesB] = [valuesOf(a), valuesOf(b)];
  if (valuesA !== undefined && valuesB !== undefined) {
    const texts = new Set(valuesA.map((value) => JSON.stringify(value)));
    return !valuesB.some((value) => texts.has(JSON.stringify(value)));
  }
  const typesOfB = typesOf(b);
  if (typesOf(a).every((type) => typesOfB.every((other) => areDifferent(type, other)))) return true;
  return isObject(a) && isObject(b) && differByProperty(a, b, resolve);
}

function differByProperty(a: Fields, b: Fields, resolve: Resolve): boolean {
  const [left, right] = [requiredOf(a), requiredOf(b)];
  return Object.keys(left).some((name) => {
    if (!Object.hasOwn(right, name)) return false;
    const [one, other] = [resolve(left[name]), resolve(right[name])];
    if (!isFields(one) || !isFields(other)) return false;
    return (
      valuesOf(one) !== undefined && valuesOf(other) !== undefined && excludes(one, other, resolve)
    );
  });
}

/** The schemas of the properties that an object must have. */
function requiredOf({ properties, required }: Fields): Fields {
  if (!isFields(properties) || !Array.isArray(required)) return {};
  return Object.fromEntries(Object.entries(properties).filter(([name]) => required.includes(name)));
}

function isObject({ type }: Fields): boolean {
  return type === 'object';
}

function valuesOf({ const: value, enum: values }: Fields): readonly unknown[] | undefined {
  if (value !== undefined) return [value];
  return Array.isArray(values) ? values : undefined;
}

function typesOf(schema: Fields): readonly Type[] {
  const values = valuesOf(schema);
  if (values !== undefined) {
    return TYPES.filter((type) => values.some((value) => isOfType(value, type)));
  }
  const { type } = schema;
  if (type === undefined) return TYPES;
  return (Array.isArray(type) ? type : [type]) as Type[];
}

function areDifferent(a: Type, b: Type): boolean {
  const isNumber = (type: Type): boolean => type === 'integer' || type === 'number';
  return a !== b && !(isNumber(a) && isNumber(b));
}
