import { describeValue, type Fields, isFields } from '../support/fields.ts';
import type { Refuse } from './constraint.ts';

/** The JSON types, and the whole numbers among the numbers. */
export const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;

export type Type = (typeof TYPES)[number];

/** Keywords that say something about values of these types alone. */
const KEYWORDS_OF_TYPE: Readonly<Record<string, readonly Type[]>> = {
  minimum: ['number'],
  maximum: ['number'],
  exclusiveMinimum: ['number'],
  exclusiveMaximum: ['number'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  format: ['string'],
  items: ['array'],
  prefixItems: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  properties: ['object'],
  required: ['object'],
  additionalProperties: ['object'],
};

/** Keywords that stand alone: what is beside them would have to hold as well. */
const ALTERNATIVES = ['$ref', 'anyOf', 'oneOf', 'allOf'] as const;

const VALUES = ['const', 'enum'] as const;

/** What describes a value and does not decide which are valid. */
const ANNOTATIONS: readonly string[] = [
  ...['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly'],
  ...['$schema', '$id', '$comment', '$defs', 'definitions'],
];

const KNOWN = new Set([
  'type',
  ...Object.keys(KEYWORDS_OF_TYPE),
  ...ALTERNATIVES,
  ...VALUES,
  ...ANNOTATIONS,
]);

/** One schema of a document, read and checked. */
export class SchemaNode {
  readonly fields: Fields;
  /** JSON pointer to it. */
  readonly pointer: string;
  readonly #refuse: Refuse;

  constructor(fields: Fields, pointer: string, refuse: Refuse) {
    this.fields = fields;
    this.pointer = pointer;
    this.#refuse = refuse;
    for (const keyword of Object.keys(fields)) {
      if (!KNOWN.has(keyword))
        throw this.refuse(`not have ${describeValue(keyword)}: it is not supported`);
    }
  }

  /** The error of this schema; the sentence goes on after `<field> must`. */
  refuse(sentence: string): Error {
    return this.#refuse(`${sentence} (at ${this.pointer || 'its root'})`);
  }

  has(keyword: string): boolean {
    return this.fields[keyword] !== undefined;
  }

  /** `$ref`, `anyOf`, `oneOf` or `allOf`, where the schema is one of these. */
  get alternative(): (typeof ALTERNATIVES)[number] | undefined {
    const found = ALTERNATIVES.find((keyword) => this.has(keyword));
    if (found !== undefined) this.#checkAlone(found, []);
    return found;
  }

  /** The values that `const` or `enum` lists, as far as they are of the schema's types. */
  get values(): readonly unknown[] | undefined {
    const found = VALUES.find((keyword) => this.has(keyword));
    if (found === undefined) return undefined;
    this.#checkAlone(found, ['type']);
    const value = this.fields[found];
    const values = found === 'const' ? [value] : value;
    if (!Array.isArray(values)) throw this.refuse('have an array as enum');
    const types = this.#declaredTypes;
    if (types === undefined) return values;
    return values.filter((each) => types.some((type) => isOfType(each, type)));
  }

  /** The types that its values may have: as declared, or those that its keywords speak of. */
  get types(): readonly Type[] | undefined {
    const declared = this.#declaredTypes;
    if (declared !== undefined) return declared;
    const implied = Object.keys(this.fields).flatMap((keyword) => KEYWORDS_OF_TYPE[keyword] ?? []);
    return implied.length === 0 ? undefined : [...new Set(implied)];
  }

  /** A whole number from 0, such as `minLength`. */
  count(keyword: string): number | undefined {
    const value = this.fields[keyword];
    if (value === undefined) return undefined;
    if (Number.isInteger(value) && Number(value) >= 0) return Number(value);
    throw this.refuse(`have a whole number from 0 as ${keyword}, not ${describeValue(value)}`);
  }

  number(keyword: string): number | undefined {
    const value = this.fields[keyword];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.refuse(`have a number as ${keyword}, not ${describeValue(value)}`);
  }

  text(keyword: string): string | undefined {
    const value = this.fields[keyword];
    if (value === undefined || typeof value === 'string') return value;
    throw this.refuse(`have a string as ${keyword}, not ${describeValue(value)}`);
  }

  list(keyword: string): readonly unknown[] {
    const value = this.fields[keyword] ?? [];
    if (Array.isArray(value)) return value;
    throw this.refuse(`have an array as ${keyword}, not ${describeValue(value)}`);
  }

  get #declaredTypes(): readonly Type[] | undefined {
    const { type } = this.fields;
    if (type === undefined) return undefined;
    const types = Array.isArray(type) ? type : [type];
    const unknown = types.find((each) => !TYPES.includes(each as Type));
    if (types.length > 0 && unknown === undefined) return types as Type[];
    throw this.refuse(`have ${TYPES.join(', ')} or a list of these as type`);
  }

  #checkAlone(keyword: string, companions: readonly string[]): void {
    const free = new Set([keyword, ...companions, ...ANNOTATIONS]);
    const other = Object.keys(this.fields).find((name) => !free.has(name));
    if (other === undefined) return;
    throw this.refuse(`not have ${other} beside ${keyword}: only one of them is supported`);
  }
}

/** Whether a JSON value is of a type; every integer is a number, too. */
export function isOfType(value: unknown, type: Type): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isFields(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
