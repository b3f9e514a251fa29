import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import { isAllowed } from '../../services/core/sampling/token-mask.ts';
import type { Tokenizer } from '../../services/core/text/tokenizer.ts';
import {
  ByteGrammars,
  END,
  encodeText,
  grammarsOf,
  makeTokenizer,
} from '../support/byte-tokenizer.ts';

const grammars = new ByteGrammars();

function schemaOf(schema: unknown): Constraint {
  return { kind: 'jsonSchema', schema: JSON.stringify(schema) };
}

/** The values, as JSON, that a schema lets be said. */
function accepted(schema: unknown, values: readonly unknown[]): string[] {
  return values
    .map((value) => JSON.stringify(value))
    .filter((text) => grammars.accepts(schemaOf(schema), text));
}

suite('what a schema says', () => {
  test('of whole numbers is kept to the last digit', () => {
    const bound = fc.integer({ min: -1200, max: 1200 });
    const property = fc.property(
      bound,
      fc.nat({ max: 300 }),
      fc.array(bound),
      (least, more, others) => {
        const most = least + more;
        const near = [least, most].flatMap((each) => [
          each - 1,
          each,
          each + 1,
          each - 10,
          each * 10,
        ]);
        const values = [...others, ...near, 0].filter((value) => !Object.is(value, -0));
        const inside = values.filter((value) => value >= least && value <= most).map(String);
        const open = { exclusiveMinimum: least - 1, exclusiveMaximum: most + 0.5 };
        for (const bounds of [{ minimum: least, maximum: most }, open]) {
          assert.deepEqual(accepted({ type: 'integer', ...bounds }, values), inside);
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
    assert.ok(!grammars.accepts(schemaOf({ type: 'integer' }), '1.0'));
    const large = accepted({ type: 'integer', minimum: 1e9 }, [1e9 - 1, 1e9, 1e14]);
    assert.deepEqual(large, ['1000000000', '100000000000000']);
  });

  test('of names is kept, where others may stand beside them', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'integer' }, ab: { type: 'integer' }, 'a"b': { type: 'null' } },
      additionalProperties: { type: 'string' },
    };
    const good = [
      { a: 1, ab: 2, 'a"b': null, c: 'x' },
      { b: 'x', aa: 'y', abc: 'z', '': '' },
    ];
    const wrong = [{ a: 'x' }, { ab: 'x' }, { x: 1 }];
    const texts = good.map((value) => JSON.stringify(value));
    assert.deepEqual(accepted(schema, [...good, ...wrong]), texts);
    // By an escape a name could come twice.
    assert.ok(!grammars.accepts(schemaOf(schema), String.raw`{"\u0061":"x"}`));
  });

  test('of itself is kept at any depth', () => {
    const tree = { type: 'object', properties: { next: { $ref: '#' } } };
    let value: object = {};
    for (let depth = 0; depth < 50; depth++) value = { next: value };
    assert.deepEqual(accepted(tree, [value, { next: 1 }]), [JSON.stringify(value)]);
  });

  test('of formats and patterns is kept', () => {
    const cases: readonly (readonly [object, string, string])[] = [
      [{ format: 'date' }, '2024-12-31', '2024-02-30'],
      [{ format: 'date-time' }, '2024-01-31T23:59:59.5+01:00', '2024-01-31'],
      [{ format: 'ipv4' }, '255.0.10.1', '256.0.10.1'],
      [{ format: 'email' }, 'ann.lee@example.org', 'ann@'],
      [{ format: 'uuid' }, '0189e1c2-7f3a-7c1b-9d2e-4f5a6b7c8d9e', '0189'],
      [{ pattern: 'b' }, 'abc', 'ac'],
      [{ pattern: '^b' }, 'bc', 'abc'],
      [{ pattern: '^[^a]"\\\\n?$' }, 'é"\\n', 'a"'],
      [{ maxLength: 1 }, '😀', '😀😀'],
    ];
    for (const [keywords, good, wrong] of cases) {
      const found = accepted({ type: 'string', ...keywords }, [good, wrong]);
      assert.deepEqual(found, [JSON.stringify(good)]);
    }
  });

  test('is refused where it cannot be kept, with the place', () => {
    const nested = (schema: unknown) => ({ properties: { 'a/b': schema } });
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ not: {} }, /not have "not": it is not supported \(at its root\)/],
      [nested({ multipleOf: 3 }), /"multipleOf".* \(at \/properties\/a~1b\)/],
      [nested({ type: 'text' }), /null, boolean, .* as type/],
      [{ type: 'string', minLength: -1 }, /whole number from 0 as minLength, not -1/],
      [{ type: 'string', pattern: '(' }, /regular expression: .*Unterminated/],
      [{ type: 'string', pattern: 'a', maxLength: 3 }, /not have minLength or maxLength beside/],
      [{ type: 'string', format: 'uri' }, /date, time, .* as format, not "uri"/],
      [{ anyOf: [{}], type: 'object' }, /not have type beside anyOf/],
      [{ allOf: [{}, {}] }, /only one schema in allOf/],
      [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, /exclude each other/],
      [{ $ref: '#/$defs/none' }, /a \$ref to a schema that is there/],
      [{ $ref: 'https://example.org' }, /JSON pointer/],
      [{ $ref: '#' }, /at least one finite text/],
      [{ properties: { a: { $ref: '#' } }, required: ['a'] }, /at least one finite text/],
      [{ anyOf: [{ $ref: '#' }, { type: 'null' }] }, /itself without anything before/],
      [{ required: ['a'] }, /every required name among its properties, not a/],
      [{ enum: [] }, /at least one finite text/],
      [{ type: 'array', minItems: 40_000 }, /be smaller/],
      [5, /an object or a boolean as schema, not 5/],
    ];
    for (const [schema, sentence] of cases) {
      assert.throws(
        () => grammars.accepts(schemaOf(schema), ''),
        (error: Error) => {
          assert.equal(error.name, 'InvalidArgumentError');
          assert.match(error.message, /^json_schema must /);
          assert.match(error.message, sentence);
          return true;
        },
      );
    }
  });
});

suite('a grammar', () => {
  test('is refused where it is too large or too deep', () => {
    const deep = '{"items":'.repeat(100) + '{}'.padEnd(102, '}');
    const cases: readonly (readonly [Constraint, RegExp])[] = [
      [{ kind: 'regex', pattern: '[ab]{40000}' }, /^regex must be smaller/],
      [{ kind: 'regex', pattern: '('.repeat(2000) + ')'.repeat(2000) }, /nested/],
      [{ kind: 'regex', pattern: 'a'.repeat(5000) }, /^regex must have at most 4096 characters/],
      [{ kind: 'choice', choices: [''] }, /^choice must have no empty text/],
      [{ kind: 'jsonSchema', schema: deep }, /nested at most 64 deep/],
    ];
    for (const [constraint, message] of cases) {
      assert.throws(() => grammars.accepts(constraint, ''), {
        name: 'InvalidArgumentError',
        message,
      });
    }
  });

  test('that forgets what it remembered finds the same', () => {
    const constraint = schemaOf({ type: 'array', items: { type: 'string' }, maxItems: 3000 });
    const text = `[${Array.from({ length: 2500 }, (_, index) => `"${index}"`).join()}`;
    const walk = (): string[] => {
      let state = grammars.begin(constraint);
      return Array.from(encodeText(text), (byte) => {
        const mask = JSON.stringify(state.allowed);
        state = state.advance(byte + 1)!;
        return mask;
      });
    };
    assert.deepEqual(walk(), walk());
  });

  test('starts where a tokenizer drops a space', () => {
    const plain = makeTokenizer([encodeText(' a'), encodeText('a')]);
    const [spaced, bare] = [257, 258];
    const tokenizer: Tokenizer = {
      ...plain,
      tokenBytes: (id, previous) => {
        const bytes = plain.tokenBytes(id, previous);
        const isDropped = (previous === undefined || previous === END) && bytes[0] === 0x20;
        return isDropped ? bytes.subarray(1) : bytes;
      },
    };
    const words = grammarsOf(tokenizer);
    const constraint: Constraint = { kind: 'regex', pattern: 'a( a)?' };
    for (const lastPrompt of [undefined, END]) {
      const state = words.begin(constraint, lastPrompt);
      assert.ok(isAllowed(state.allowed!, spaced) && isAllowed(state.allowed!, bare));
      const next = state.advance(spaced)!.allowed!;
      assert.deepEqual([isAllowed(next, spaced), isAllowed(next, bare)], [true, false]);
    }
    assert.ok(!isAllowed(words.begin(constraint, bare).allowed!, spaced));
  });

  test('that many rules may begin at once with is given up before its first token', () => {
    const pattern = `${'('.repeat(40)}a?${')+'.repeat(40)}|${'('.repeat(9)}b?${'){30}'.repeat(3)}${')'.repeat(6)}`;
    const wide: Constraint = { kind: 'regex', pattern: `(${pattern})*` };
    assert.equal(grammars.begin(wide).allowed, undefined);
  });

  test('of which too much may be meant is given up, whoever walked there before', () => {
    const constraint: Constraint = { kind: 'regex', pattern: '[ab]*a[ab]{3000}' };
    const tokenizer = makeTokenizer([
      encodeText('ab'.repeat(1600)),
      encodeText('aabab'.repeat(600)),
    ]);
    const compiled = grammarsOf(tokenizer);
    // Masks of others, of as many walks, must not hide the work.
    assert.ok(compiled.begin({ kind: 'regex', pattern: 'a*' }, undefined).allowed);
    for (let round = 0; round < 2; round++) {
      assert.equal(compiled.begin(constraint, undefined).allowed, undefined);
    }
  });
});
