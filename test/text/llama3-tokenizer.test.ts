import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import llama3 from 'llama3-tokenizer-js';
import { HfTokenizer } from '../../services/core/text/hf-tokenizer.ts';
import { decodeTokens, TextStream } from '../../services/core/text/text-stream.ts';

const BEGIN = '<|begin_of_text|>';
const FIRST_SPECIAL_ID = 128_000;
const SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** The tokenizer.json of Llama 3, with the vocabulary and the merges that the other library has. */
function makeTokenizerJson(): unknown {
  const { vocabById, merges } = llama3;
  const added = vocabById.slice(FIRST_SPECIAL_ID).map((content, index) => ({
    id: FIRST_SPECIAL_ID + index,
    content,
    special: true,
    normalized: false,
    single_word: false,
    lstrip: false,
    rstrip: false,
  }));
  const begin = { id: BEGIN, ids: [FIRST_SPECIAL_ID], tokens: [BEGIN] };
  return {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: SPLIT }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: BEGIN, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { [BEGIN]: begin },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ignore_merges: true,
      vocab: Object.fromEntries(
        vocabById.slice(0, FIRST_SPECIAL_ID).map((token, id) => [token, id]),
      ),
      merges: [...merges.entries()].sort(([, a], [, b]) => a - b).map(([pair]) => pair),
    },
  };
}

/** What tokenizers stumble over. */
const AWKWARD: Readonly<Record<string, readonly string[]>> = {
  plain: ['', 'a', 'Hello world', 'Once upon a time, there was a little girl named Lily.'],
  whitespace: [
    ' ',
    '  ',
    '   a',
    'a   ',
    '\n',
    '\n\n\n',
    ' \n ',
    '\t\t',
    '\r\n',
    'a \n\n  b',
    '\u00a0',
    '\u3000x',
    '\u2028',
  ],
  digits: ['1', '12', '123', '1234', '1234567890', '3.14159', '1,000,000', '٣٤', '१२३', '²³', 'Ⅷ'],
  contractions: ["I'm", "YOU'LL", "it's", "'tis", "we'd've", "'S", 'can’t'],
  code: [
    'def f(x):\n    return x ** 2  # squared\n',
    'for (let i = 0; i < n; i++) { a[i] ??= b?.c; }',
    '#include <stdio.h>\n\tint main(void) {}\n',
    '{"a": [1, 2.5e-3, null], "b\\"": "\\u00e9"}',
    '<div class="x">&amp;</div>',
    '=====!!!!----____````',
  ],
  scripts: [
    'Grüße, façade, naïveté',
    'Ελληνικά',
    'Привет, мир',
    'שלום עולם',
    'مرحبا بالعالم',
    'नमस्ते दुनिया',
    'สวัสดีชาวโลก',
    'ქართული',
  ],
  cjk: [
    '你好，世界',
    '日本語のテキスト',
    '안녕하세요 세계',
    '漢字とカナ交じり文。',
    '𠮷野家',
    '龘',
  ],
  emoji: ['😀', '👨‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪🇯🇵', '1️⃣', '❤️‍🔥 a 🫠', '🙂🙃🙂🙃'],
  combining: ['e\u0301', 'é', 'Z̸̢a̵l̶g̷o̸', 'ﬁ ﬂ', 'Å Å', 'ᄒ\u1161\u11ab', 'i̇İıI'],
  control: [
    '\u0000',
    'a\u0000b',
    '\u0007\u0008\u001b[31m',
    '\u007f',
    '\u200b\u200d\ufeff',
    '\u202eabc',
    '\ufffd',
    '\u{10ffff}',
  ],
  special: [
    '<|begin_of_text|>',
    'a<|eot_id|>b',
    '<|start_header_id|>user<|end_header_id|>\n\n',
    '<|nothing|>',
    '<|',
  ],
};

suite('the Llama 3 tokenizer', () => {
  const tokenizer = new HfTokenizer(makeTokenizerJson(), {});
  const reference = (text: string): number[] => llama3.encode(text, { bos: true, eos: false });

  test('has the published size and well-known ids', () => {
    assert.equal(tokenizer.vocabSize, 128_256);
    assert.deepEqual(tokenizer.encode('Hello world'), [128_000, 9_906, 1_917]);
  });

  for (const [kind, texts] of Object.entries(AWKWARD)) {
    test(`encodes ${kind} as another implementation does, and gives it back`, () => {
      for (const text of texts) {
        const ids = tokenizer.encode(text);
        assert.deepEqual(ids, reference(text), JSON.stringify(text));
        if (kind !== 'special') assertWhole(tokenizer, ids, text);
      }
    });
  }

  test('takes a byte order mark for a sign and not for white space', () => {
    const [begin, ...ids] = tokenizer.encode("\u200b\u200d\ufeff'S");
    assert.equal(begin, FIRST_SPECIAL_ID);
    // A space between the mark and the apostrophe would make a contraction of the rest.
    assert.deepEqual(
      ids.slice(-2),
      tokenizer.encode("x'").slice(-1).concat(tokenizer.encode('S').slice(-1)),
    );
  });

  test('agrees on whatever these make together', () => {
    const piece = fc.oneof(
      fc.constantFrom(...Object.values(AWKWARD).flat()),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
    );
    const text = fc
      .array(piece, { maxLength: 6 })
      .map((pieces) => pieces.join(''))
      // Which is white space to the expressions of JavaScript, and so to the other library, but not to Unicode.
      .filter((joined) => !joined.includes('\ufeff'));
    fc.assert(
      fc.property(text, (given) => {
        const ids = tokenizer.encode(given);
        assert.deepEqual(ids, reference(given));
        assertWhole(
          tokenizer,
          ids,
          given.replace(/<\|\w+\|>/g, (name) => special(name)),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Special tokens have no text; what only looks like one has. */
function special(name: string): string {
  return llama3.vocabByString.has(name) ? '' : name;
}

/** Token by token: the pieces are the text, and none has half a character. */
function assertWhole(tokenizer: HfTokenizer, ids: readonly number[], text: string): void {
  const stream = new TextStream(tokenizer);
  const pieces = ids.map((id) => stream.push(id));
  assert.equal(pieces.join('') + stream.flush(), text);
  assert.equal(decodeTokens(tokenizer, ids), text);
  for (const piece of pieces) {
    assert.doesNotMatch(piece, /\p{Surrogate}/u);
    if (!text.includes('\ufffd')) assert.ok(!piece.includes('\ufffd'), JSON.stringify(piece));
  }
}
