import fc from 'fast-check';

/** A JSON schema, and how long a text of it can be at most. */
export interface BoundedSchema {
  readonly schema: object;
  /** In bytes, as the grammar may write it. */
  readonly longest: number;
}

/** A code point inside a string may be written as two `\uXXXX`. */
const LONGEST_CHARACTER = 12;
/** Sign, 15 digits, a fraction of 15 and an exponent. */
const LONGEST_NUMBER = 36;

function bounded(schema: object, longest: number): BoundedSchema {
  return { schema, longest };
}

const arbitraryString = fc
  .record({ least: fc.nat({ max: 3 }), more: fc.nat({ max: 4 }) })
  .map(({ least, more }) =>
    bounded(
      { type: 'string', minLength: least, maxLength: least + more },
      2 + LONGEST_CHARACTER * (least + more),
    ),
  );

const arbitraryPattern = fc.constantFrom(
  bounded({ type: 'string', pattern: '^[a-z]{1,4}$' }, 6),
  bounded({ type: 'string', pattern: '^(foo|b[^a-y]r)\\d{2}$' }, 20),
  bounded({ type: 'string', pattern: '^["\\\\/\\t]{0,3}$' }, 8),
  bounded({ type: 'string', pattern: '^.?\\s$' }, 12),
  bounded({ type: 'string', format: 'date-time' }, 40),
  bounded({ type: 'string', format: 'uuid' }, 38),
);

const arbitraryInteger = fc
  .record({
    first: fc.integer({ min: -2000, max: 2000 }),
    more: fc.nat({ max: 3000 }),
    kind: fc.nat({ max: 3 }),
  })
  .map(({ first, more, kind }) => {
    const bounds = [
      {},
      { minimum: first },
      { minimum: first, maximum: first + more },
      { exclusiveMinimum: first, exclusiveMaximum: first + more + 2 },
    ];
    return bounded({ type: 'integer', ...bounds[kind] }, 16);
  });

const arbitraryNumber = fc
  .record({
    first: fc.double({ min: -50, max: 50, noNaN: true }),
    more: fc.integer({ min: 2, max: 99 }),
    kind: fc.nat({ max: 3 }),
  })
  .map(({ first, more, kind }) => {
    const bounds = [
      {},
      { minimum: first },
      { minimum: first, exclusiveMaximum: first + more },
      { exclusiveMinimum: Math.round(first), maximum: Math.round(first) + more },
    ];
    return bounded({ type: 'number', ...bounds[kind] }, LONGEST_NUMBER);
  });

const arbitraryValue = fc.oneof(
  fc.jsonValue({ maxDepth: 1, stringUnit: 'grapheme' }),
  fc.string({ maxLength: 8 }),
  fc.integer(),
);

const arbitraryEnum = fc
  .oneof(
    fc
      .uniqueArray(arbitraryValue, {
        minLength: 1,
        maxLength: 4,
        selector: (value) => JSON.stringify(value),
      })
      .map((values) => ({ enum: values })),
    arbitraryValue.map((value) => ({ const: value })),
  )
  .map((schema) => bounded(schema, 12 * JSON.stringify(schema).length));

const arbitraryPlain = fc.constantFrom(
  bounded({ type: 'boolean' }, 5),
  bounded({ type: 'null' }, 4),
  bounded({ type: ['boolean', 'null'] }, 5),
  bounded({ $ref: '#/$defs/word' }, 12),
  bounded({ $ref: '#/$defs/pair' }, 40),
);

const DEFINITIONS = {
  word: { enum: ['one', 'two', 'three'] },
  pair: {
    type: 'array',
    prefixItems: [{ $ref: '#/$defs/word' }, { type: 'integer', minimum: 0 }],
    items: false,
  },
};

const arbitraryScalar = fc.oneof(
  arbitraryString,
  arbitraryPattern,
  arbitraryInteger,
  arbitraryNumber,
  arbitraryEnum,
  arbitraryPlain,
);

const arbitraryName = fc.oneof(
  fc.constantFrom('name', 'age', 'a', 'b', 'na', 'kind'),
  fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme' }),
);

interface Member {
  readonly name: string;
  readonly value: BoundedSchema;
  readonly isRequired: boolean;
}

function objectOf(
  members: readonly Member[],
  additionalProperties: boolean | undefined,
): BoundedSchema {
  const properties = Object.fromEntries(members.map(({ name, value }) => [name, value.schema]));
  const required = members.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const lengths = members.map(({ name, value }) => 12 * name.length + 6 + value.longest);
  return bounded(
    {
      type: 'object',
      properties,
      required,
      ...(additionalProperties === undefined ? {} : { additionalProperties }),
    },
    2 + lengths.reduce((sum, each) => sum + each, 0),
  );
}

function arbitraryObjectOf(value: fc.Arbitrary<BoundedSchema>): fc.Arbitrary<BoundedSchema> {
  const member = fc.record({ name: arbitraryName, value, isRequired: fc.boolean() });
  return fc
    .record({
      // One at least: an object of which nothing is said may be any.
      members: fc.uniqueArray(member, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
      additionalProperties: fc.constantFrom(undefined, false),
    })
    .map(({ members, additionalProperties }) => objectOf(members, additionalProperties));
}

function arbitraryArrayOf(value: fc.Arbitrary<BoundedSchema>): fc.Arbitrary<BoundedSchema> {
  return fc
    .record({
      items: value,
      least: fc.nat({ max: 2 }),
      more: fc.nat({ max: 2 }),
      prefix: fc.array(value, { maxLength: 2 }),
    })
    .map(({ items, least, more, prefix }) => {
      const maxItems = least + more;
      const lengths = [...prefix, items].map(({ longest }) => longest);
      const prefixItems =
        prefix.length === 0 ? {} : { prefixItems: prefix.map(({ schema }) => schema) };
      return bounded(
        { type: 'array', items: items.schema, minItems: least, maxItems, ...prefixItems },
        2 + maxItems * (2 + Math.max(...lengths)),
      );
    });
}

function arbitraryChoiceOf(value: fc.Arbitrary<BoundedSchema>): fc.Arbitrary<BoundedSchema> {
  const any = fc
    .array(value, { minLength: 1, maxLength: 3 })
    .map((options) =>
      bounded(
        { anyOf: options.map(({ schema }) => schema) },
        Math.max(...options.map(({ longest }) => longest)),
      ),
    );
  const tagged = fc.tuple(value, value).map((values) => {
    const options = values.map((each, index) =>
      objectOf(
        [
          { name: 'kind', value: bounded({ const: `k${index}` }, 4), isRequired: true },
          { name: 'value', value: each, isRequired: index === 0 },
        ],
        false,
      ),
    );
    return bounded(
      { oneOf: options.map(({ schema }) => schema) },
      Math.max(...options.map(({ longest }) => longest)),
    );
  });
  return fc.oneof(any, tagged);
}

function arbitraryAtDepth(depth: number): fc.Arbitrary<BoundedSchema> {
  if (depth === 0) return arbitraryScalar;
  const inner = arbitraryAtDepth(depth - 1);
  return fc.oneof(
    { weight: 1, arbitrary: arbitraryScalar },
    { weight: 3, arbitrary: arbitraryObjectOf(inner) },
    { weight: 2, arbitrary: arbitraryArrayOf(inner) },
    { weight: 1, arbitrary: arbitraryChoiceOf(inner) },
  );
}

/** Schemas whose texts all end within `longest` bytes. */
export function arbitrarySchema(longest: number): fc.Arbitrary<BoundedSchema> {
  return arbitraryAtDepth(3)
    .filter((bounds) => bounds.longest <= longest)
    .map((bounds) => bounded({ ...bounds.schema, $defs: DEFINITIONS }, bounds.longest));
}
