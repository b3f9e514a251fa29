import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { ModelError } from '../../services/core/support/errors.ts';
import { Llama2cTokenizer } from '../../services/core/text/llama2c-tokenizer.ts';
import { decodeTokens } from '../../services/core/text/text-stream.ts';
import { requireReference } from '../support/requirements.ts';

interface Entry {
  readonly score: number;
  readonly text: string; // one character per byte
}

/** Writes a tokenizer.bin. */
function writeTokenizer(entries: readonly Entry[]): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeInt32LE(Math.max(...entries.map(({ text }) => text.length)));
  const parts = entries.map(({ score, text }) => {
    const part = Buffer.alloc(8);
    part.writeFloatLE(score);
    part.writeInt32LE(text.length, 4);
    return Buffer.concat([part, Buffer.from(text, 'latin1')]);
  });
  return Buffer.concat([head, ...parts]);
}

/** A small vocabulary with many merges that compete, some of them of equal score. */
function smallVocabulary(): Entry[] {
  const specials = ['<unk>', '\n<s>\n', '\n</s>\n'];
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const pieces = [' ', 'a', 'b', 'c', 'ab', 'bc', 'aa', 'abc', ' a', ' ab', 'cab', 'bb', 'aabb'];
  const euro = Buffer.from('€').toString('latin1');
  return [...specials, ...bytes, ...pieces, euro, `a${euro}`].map((text, id) => ({
    text,
    score: id < 259 ? 0 : -(id % 4),
  }));
}

/** run.c's encode, as it is written there: the best merge of all pairs, again and again. */
function encodeNaively(entries: readonly Entry[], text: string): number[] {
  const lookUp = (key: string): number => entries.findIndex((entry) => entry.text === key);
  const ids = text === '' ? [] : [lookUp(' ')];
  for (const character of text) {
    const bytes = Buffer.from(character);
    const id = lookUp(bytes.toString('latin1'));
    ids.push(...(id >= 0 ? [id] : [...bytes].map((byte) => byte + 3)));
  }
  for (;;) {
    let best = { score: -1e10, id: -1, index: -1 };
    for (let index = 0; index + 1 < ids.length; index++) {
      const id = lookUp(entries[ids[index]!]!.text + entries[ids[index + 1]!]!.text);
      if (id >= 0 && entries[id]!.score > best.score) {
        best = { score: entries[id]!.score, id, index };
      }
    }
    if (best.index < 0) return [1, ...ids];
    ids.splice(best.index, 2, best.id);
  }
}

test('encoding merges as the plain algorithm of run.c does', () => {
  const entries = smallVocabulary();
  const tokenizer = new Llama2cTokenizer(writeTokenizer(entries));
  const characters = fc.constantFrom('a', 'b', 'c', ' ', '€', 'é', '😀', '\n', '\0');
  const text = fc.string({ unit: characters, maxLength: 40 });
  fc.assert(
    fc.property(text, (prompt) => {
      const ids = tokenizer.encode(prompt);
      assert.deepEqual(ids, encodeNaively(entries, prompt));
      assert.equal(decodeTokens(tokenizer, ids), prompt);
    }),
    { numRuns: 1000 },
  );
});

test('a leading space is dropped at the start of a text and after BOS only', () => {
  const entries = smallVocabulary();
  const tokenizer = new Llama2cTokenizer(writeTokenizer(entries));
  const id = entries.findIndex(({ text }) => text === ' ab');
  const read = (previous: number | undefined): string =>
    Buffer.from(tokenizer.tokenBytes(id, previous)).toString();
  assert.deepEqual([read(1), read(undefined), read(2), read(id)], ['ab', 'ab', ' ab', ' ab']);
  assert.deepEqual([...tokenizer.tokenBytes(3 + 0xff, id)], [0xff]);
  assert.deepEqual(
    [1, 2, -1, 9999].flatMap((special) => [...tokenizer.tokenBytes(special, id)]),
    [],
  );
});

test('the reference story is encoded and decoded as run.c does', (t) => {
  const tokenizerPath = requireReference(t, 'stories260K/tok512.bin');
  const greedyPath = requireReference(t, 'stories260K/reference_greedy.json');
  const outputPath = requireReference(t, 'stories260K/reference_output.txt');
  if (tokenizerPath === undefined || greedyPath === undefined || outputPath === undefined) return;
  const tokenizer = new Llama2cTokenizer(readFileSync(tokenizerPath));
  assert.equal(tokenizer.vocabSize, 512);
  const reference = JSON.parse(readFileSync(greedyPath, 'utf8')) as { greedy_ids: number[] };
  const text = decodeTokens(tokenizer, reference.greedy_ids);
  const output = readFileSync(outputPath, 'utf8');
  assert.ok(text.length > 300);
  assert.equal(text, output.slice(0, text.length));
  assert.deepEqual(tokenizer.encode('Once upon a time'), reference.greedy_ids.slice(0, 5));
  assert.deepEqual(tokenizer.encode(''), [1]);
});

test('a file that is cut or too small is refused', () => {
  const good = writeTokenizer(smallVocabulary());
  for (const length of [0, 3, 4, 9, 100, good.length - 1]) {
    assert.throws(() => new Llama2cTokenizer(good.subarray(0, length)), ModelError);
  }
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (place, byte) => {
      const damaged = Uint8Array.from(good).with(place, byte);
      try {
        new Llama2cTokenizer(damaged).encode('a b');
      } catch (error) {
        assert.ok(error instanceof ModelError, String(error));
      }
    }),
  );
});
