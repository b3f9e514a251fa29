import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { SyntheticTokenizer } from '../../services/core/text/synthetic-tokenizer.ts';
import { decodeTokens, TextStream } from '../../services/core/text/text-stream.ts';
import { packagePath } from '../../services/runtime/package-info.ts';

/** Vocabularies of catalogue models, and the smallest that there can be. */
const TOKENIZERS = [
  new SyntheticTokenizer(128_256, [128_255]),
  new SyntheticTokenizer(32_000, [2, 300]),
  new SyntheticTokenizer(258, [0]),
];

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.lorem({ maxCount: 20 }),
  fc.string({ unit: fc.constantFrom(...' \n\tthe.,-=|`AZ09é🎈'), maxLength: 60 }),
);

suite('the synthetic tokenizer', () => {
  test('gives every text back, with ids of the vocabulary and no special ones', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TOKENIZERS), text, (tokenizer, given) => {
        const ids = tokenizer.encode(given);
        assert.equal(decodeTokens(tokenizer, ids), given);
        assert.deepEqual(tokenizer.encode(given), ids);
        for (const id of ids) {
          assert.ok(id >= 0 && id < tokenizer.vocabSize);
          assert.ok(tokenizer.tokenBytes(id).length > 0, `token ${id}`);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('never breaks a character as tokens come one by one', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TOKENIZERS), text, (tokenizer, given) => {
        const stream = new TextStream(tokenizer);
        let told = '';
        for (const id of tokenizer.encode(given)) {
          told += stream.push(id);
          assert.ok(given.startsWith(told));
        }
        assert.equal(told + stream.flush(), given);
      }),
    );
  });

  test('has about 4 characters of English to a token', () => {
    const english = readFileSync(packagePath('test/bench/quality-text.txt'), 'utf8');
    for (const tokenizer of TOKENIZERS.slice(0, 2)) {
      const characters = english.length / tokenizer.encode(english).length;
      assert.ok(characters > 3.4 && characters < 4.6, `${characters}`);
    }
  });

  test('has outputs that read as words, and special tokens without a text', () => {
    for (const tokenizer of TOKENIZERS.slice(0, 2)) {
      const { start, end } = tokenizer.words;
      assert.ok(end - start > 400);
      for (let id = start; id < end; id++) {
        const word = decodeTokens(tokenizer, [id]);
        assert.match(word, /^(?: [a-z]+)?$/);
      }
    }
    assert.equal(TOKENIZERS[1]!.tokenBytes(2).length, 0);
    assert.equal(TOKENIZERS[1]!.tokenBytes(300).length, 0);
  });

  test('refuses a vocabulary that cannot hold all bytes', () => {
    assert.throws(() => new SyntheticTokenizer(257, [0]), {
      name: 'ModelError',
      message: /^vocab_size must leave room for 256 bytes and a word.*257: give --tokenizer/,
    });
  });
});
