import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeUtf8, Utf8Decoder } from '../../services/core/text/utf8.ts';

/** Bytes that are often nearly valid: leads and continuations at the edges of their ranges. */
const bytes = fc
  .array(
    fc.oneof(
      fc.nat(255),
      fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1),
      fc.constantFrom(0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xbb, 0xbf, 0xff),
    ),
    { maxLength: 30 },
  )
  .map((list) => Uint8Array.from(list));

test('encoding equals TextEncoder, lone surrogates included', () => {
  const units = fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7f0, max: 0xe010 })));
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
    }),
    { numRuns: 1000 },
  );
});

test('decoding equals TextDecoder, whole and in pieces', () => {
  fc.assert(
    fc.property(bytes, fc.nat(30), (input, middle) => {
      const expected = new TextDecoder('utf-8', { ignoreBOM: true });
      const actual = new Utf8Decoder();
      for (const part of [input.subarray(0, middle), input.subarray(middle)]) {
        assert.equal(actual.push(part), expected.decode(part, { stream: true }));
      }
      assert.equal(actual.flush(), expected.decode());
    }),
    { numRuns: 5000 },
  );
});

test('a decoder that was flushed starts afresh', () => {
  const decoder = new Utf8Decoder();
  assert.equal(decoder.push(Uint8Array.of(0xe2, 0x82)), '');
  assert.equal(decoder.flush(), '\ufffd');
  assert.equal(decoder.push(encodeUtf8('€')), '€');
  assert.equal(decoder.flush(), '');
});
