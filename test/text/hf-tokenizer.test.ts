import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ModelError } from '../../services/core/support/errors.ts';
import { HfTokenizer } from '../../services/core/text/hf-tokenizer.ts';
import { decodeTokens, TextStream } from '../../services/core/text/text-stream.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';

const MODEL = join(BUNDLED_MODELS, 'tinystories-5m');

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function openBundled(): HfTokenizer {
  const config = readJson(join(MODEL, 'tokenizer_config.json'));
  return new HfTokenizer(readJson(join(MODEL, 'tokenizer.json')), config);
}

/** A SentencePiece-style tokenizer.json such as Llama 2 has, with a few words. */
function makeSentencePiece(decoder: unknown): unknown {
  const specials = ['<unk>', '<s>', '</s>'];
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const pieces = ['▁', 'a', 'b', '▁a', 'ab', '▁ab', '[user]'];
  const vocab = Object.fromEntries(
    [...specials, ...bytes, ...pieces].map((text, id) => [text, id]),
  );
  const added = (content: string, special: boolean): unknown => ({
    id: vocab[content],
    content,
    special,
    normalized: false,
  });
  return {
    added_tokens: [...specials.map((text) => added(text, true)), added('[user]', false)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder,
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: ['▁ a', 'a b', '▁a b'],
    },
  };
}

const LLAMA2_DECODER = {
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ],
};

test('the reference prompts and continuations are encoded and decoded as by the Rust library', () => {
  const tokenizer = openBundled();
  assert.equal(tokenizer.vocabSize, 2048);
  const references = readJson(join(MODEL, 'reference_greedy.json')) as {
    prompt: string;
    prompt_ids: number[];
    greedy_ids: number[];
    text: string;
  }[];
  assert.ok(references.length > 0);
  for (const { prompt, prompt_ids: promptIds, greedy_ids: greedyIds, text } of references) {
    assert.deepEqual(tokenizer.encode(prompt), promptIds);
    assert.equal(decodeTokens(tokenizer, greedyIds, promptIds.at(-1)), text);
  }
});

test('byte-level BPE gives back any lower-case text, one token at a time', () => {
  const tokenizer = openBundled();
  const text = fc.string({ unit: fc.oneof(fc.constantFrom('a', ' ', '\n', 'é', '€', '😀')) });
  fc.assert(
    fc.property(text, (prompt) => {
      const ids = tokenizer.encode(prompt);
      assert.equal(ids[0], 0);
      assert.equal(decodeTokens(tokenizer, ids), prompt.normalize('NFC'));
    }),
  );
});

test('special tokens and ids outside the vocabulary give no bytes', () => {
  const tokenizer = openBundled();
  for (const id of [0, 1, 2048, -1, 1.5]) assert.equal(tokenizer.tokenBytes(id, 5).length, 0);
});

test('a character that spans tokens appears when it is complete', () => {
  const tokenizer = openBundled();
  const ids = tokenizer.encode('😀').slice(1);
  assert.ok(ids.length > 1, 'the bundled vocabulary has no emoji');
  const stream = new TextStream(tokenizer);
  const pieces = ids.map((id) => stream.push(id));
  assert.equal(pieces.at(-1), '😀');
  assert.equal(pieces.slice(0, -1).join(''), '');
  const cut = new TextStream(tokenizer);
  for (const id of ids.slice(0, -1)) assert.equal(cut.push(id), '');
  assert.equal(cut.flush(), '\ufffd');
});

test('SentencePiece tokens decode with byte fallback and without the first space', () => {
  const tokenizer = new HfTokenizer(makeSentencePiece(LLAMA2_DECODER), {});
  assert.equal(tokenizer.vocabSize, 266);
  const ids = tokenizer.encode('ab a €b');
  assert.equal(ids[0], 1);
  assert.ok(ids.includes(3 + 0xe2), 'the euro sign is given as bytes');
  assert.equal(decodeTokens(tokenizer, ids), 'ab a €b');
  assert.equal(decodeTokens(tokenizer, ids.slice(1)), 'ab a €b');
  assert.equal(decodeTokens(tokenizer, ids.slice(1), 262), ' ab a €b');
  assert.equal(decodeTokens(tokenizer, [265, 2, 1]), '[user]');
});

test('a Metaspace decoder drops the first space unless it is told not to', () => {
  const read = (decoder: unknown): string =>
    decodeTokens(new HfTokenizer(makeSentencePiece(decoder), {}), [264, 264]);
  assert.equal(read({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' }), 'ab ab');
  assert.equal(read({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'never' }), ' ab ab');
});

test('a malformed tokenizer.json is refused with a ModelError', () => {
  const good = makeSentencePiece(LLAMA2_DECODER) as Record<string, unknown>;
  const refuse = (changes: unknown, part: RegExp): void => {
    assert.throws(
      () => new HfTokenizer(changes, {}),
      (error: unknown) => error instanceof ModelError && part.test(error.message),
    );
  };
  refuse([], /JSON objects/);
  refuse({}, /model\.vocab/);
  refuse({ ...good, decoder: null }, /decoder/);
  refuse({ ...good, decoder: { type: 'WordPiece' } }, /decoder.*WordPiece/);
  refuse({ ...good, added_tokens: {} }, /added_tokens/);
  refuse({ ...good, added_tokens: [{ id: 2 ** 31, content: 'x' }] }, /added_tokens/);
  refuse({ ...good, model: { vocab: { a: -1 } } }, /model\.vocab/);
  refuse({ ...good, post_processor: { type: 'Surprise' } }, /Surprise/);
});
