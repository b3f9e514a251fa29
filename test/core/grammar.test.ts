import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { utf8 } from '../../services/core/grammar/code-points.ts';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import type { Expression } from '../../services/core/grammar/expression.ts';
import type { GrammarState } from '../../services/core/grammar/grammar.ts';
import { compileRegex } from '../../services/core/grammar/regex.ts';
import { isAllowed } from '../../services/core/sampling/token-mask.ts';
import { arbitrarySchema } from '../support/arbitrary-schema.ts';
import {
  ByteGrammars,
  decodeUtf8,
  END,
  encodeText,
  grammarsOf,
  makeTokenizer,
} from '../support/byte-tokenizer.ts';
import { NaiveGrammar } from '../support/naive-grammar.ts';

const grammars = new ByteGrammars();
const BYTES = grammars.tokenizer;

function schemaOf(schema: unknown): Constraint {
  return { kind: 'jsonSchema', schema: JSON.stringify(schema) };
}

const arbitraryRegex = fc.letrec<{ regex: string; atom: string }>((tie) => ({
  regex: fc.oneof(
    { maxDepth: 3 },
    tie('atom'),
    fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => a + b),
    fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('regex'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'))
      .map(([a, suffix]) => `(${a})${suffix}`),
  ),
  atom: fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\d',
    '\\W',
    '[^\\s\\d]',
    'é',
    '\\u{1F600}',
    '',
  ),
})).regex;

const arbitraryText = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', 'é', '😀', '\u2028'),
  maxLength: 6,
});

suite('an expression', () => {
  test('accepts what RegExp matches from end to end', () => {
    let matches = 0;
    const property = fc.property(
      arbitraryRegex,
      fc.array(arbitraryText, { minLength: 10 }),
      (pattern, texts) => {
        const expected = new RegExp(`^(?:${pattern})$`, 'u');
        for (const text of texts) {
          assert.equal(
            grammars.accepts({ kind: 'regex', pattern }, text),
            expected.test(text),
            text,
          );
          if (expected.test(text)) matches++;
        }
      },
    );
    fc.assert(property, { numRuns: 400 });
    assert.ok(matches > 300, `${matches} texts matched`);
  });

  test('allows the tokens that its derivatives allow', () => {
    const piece = fc.oneof(arbitraryText, fc.constantFrom('\u00e9'));
    const arbitraryTokens = fc.array(
      fc.oneof(piece.map(encodeText), fc.uint8Array({ minLength: 1, maxLength: 3 })),
      { minLength: 5, maxLength: 30 },
    );
    let allowed = 0;
    const property = fc.property(
      arbitraryRegex,
      arbitraryTokens,
      fc.infiniteStream(fc.nat()),
      (pattern, pieces, draws) => {
        const tokenizer = makeTokenizer(pieces);
        const whole: Expression = compileRegex(pattern, {
          encode: utf8,
          isWhole: true,
          refuse: Error,
        });
        let naive = new NaiveGrammar([whole]);
        let state: GrammarState | undefined = grammarsOf(tokenizer).begin(
          { kind: 'regex', pattern },
          undefined,
        );
        for (let length = 0; length < 6 && state !== undefined; length++) {
          const next: number[] = [];
          for (let token = 0; token < tokenizer.vocabSize; token++) {
            const bytes = tokenizer.tokenBytes(token, undefined);
            const isLegal =
              token === END ? naive.accepts : bytes.length > 0 && naive.after(bytes).isAlive;
            assert.equal(
              isAllowed(state.allowed!, token),
              isLegal,
              `token ${token} after ${length}`,
            );
            if (isLegal && token !== END) next.push(token);
          }
          allowed += next.length;
          if (next.length === 0) return;
          const token: number = next[draws.next().value! % next.length]!;
          naive = naive.after(tokenizer.tokenBytes(token, undefined));
          state = state.advance(token);
          assert.ok(state !== undefined);
        }
      },
    );
    fc.assert(property, { numRuns: 60 });
    assert.ok(allowed > 500, `${allowed} tokens were allowed`);
  });
});

suite('a JSON schema', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });

  test('lets nothing end that does not validate, and everything end', () => {
    const property = fc.property(
      arbitrarySchema(2000),
      fc.infiniteStream(fc.nat()),
      ({ schema, longest }, draws) => {
        let state: GrammarState | undefined = grammars.begin(schemaOf(schema));
        const bytes: number[] = [];
        for (;;) {
          const mask = state!.allowed!;
          const tokens = Array.from({ length: BYTES.vocabSize }, (_, id) => id).filter((id) =>
            isAllowed(mask, id),
          );
          const token = tokens[draws.next().value! % tokens.length]!;
          if (token === END) break;
          bytes.push(token - 1);
          assert.ok(bytes.length <= longest, 'the text ends');
          state = state!.advance(token);
        }
        const text = decodeUtf8(Uint8Array.from(bytes));
        const validate = ajv.compile(schema);
        assert.ok(validate(JSON.parse(text)), `${text}: ${ajv.errorsText(validate.errors)}`);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  test('of anything takes every JSON value', () => {
    const any = schemaOf({});
    const property = fc.property(fc.json({ stringUnit: 'grapheme' }), (text) => {
      const isShort =
        (text.match(/\d+/g) ?? []).every(({ length }) => length <= 15) && !/e[+-]?\d{3}/.test(text);
      fc.pre(isShort);
      assert.ok(grammars.accepts(any, text), text);
      assert.equal(grammars.accepts({ kind: 'jsonObject' }, text), text.startsWith('{'));
    });
    fc.assert(property, { numRuns: 300 });
    const surrogate = String.raw`"\ud83d\ude00"`;
    assert.ok(grammars.accepts(any, surrogate));
    for (const wrong of [
      '',
      '01',
      '-',
      '[1,]',
      '{"a" :1}',
      String.raw`"\ud800"`,
      '"\n"',
      ' 1',
      '"a',
    ]) {
      assert.ok(!grammars.accepts(any, wrong), wrong);
    }
  });
});
