import type { Option } from 'commander';
import { isSwitch } from './environment.ts';
import type { ValueSchema } from './option-values.ts';

/** What JSON Schema says of an option's value in a file: what its parser says, or any text. */
export function schemaOf(option: Option): ValueSchema {
  if (isSwitch(option)) return { type: 'boolean' };
  const parse = option.parseArg as { readonly schema?: ValueSchema } | undefined;
  return parse?.schema ?? { type: 'string' };
}

/** Whether an option may be given more than once. */
export function isList(option: Option): boolean {
  return schemaOf(option).type === 'array';
}

/** Whether a value is of a type that a schema has; its bounds are the parser's. */
export function permits(schema: ValueSchema, value: unknown): boolean {
  const { type, enum: values, anyOf } = schema;
  if ('const' in schema) return value === schema.const;
  if (Array.isArray(values)) return values.includes(value);
  if (Array.isArray(anyOf)) return anyOf.some((each: ValueSchema) => permits(each, value));
  if (type === 'array') {
    return (
      Array.isArray(value) && value.every((each) => permits(schema.items as ValueSchema, each))
    );
  }
  return typeof value === (type === 'integer' ? 'number' : type);
}
