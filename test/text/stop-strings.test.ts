import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type StopRules, StopStrings } from '../../services/core/text/stop-strings.ts';
import { TextStream } from '../../services/core/text/text-stream.ts';
import type { Tokenizer } from '../../services/core/text/tokenizer.ts';
import { heldNaively, type StoppedText, stopNaively } from './naive-stop-strings.ts';

/** Few letters, so that strings overlap themselves and each other; some of several bytes. */
const letter = fc.constantFrom('a', 'b', 'é', '🌍');
const text = (maxLength: number, minLength = 0): fc.Arbitrary<string> =>
  fc.array(letter, { minLength, maxLength }).map((letters) => letters.join(''));
const pieces = fc.array(text(4), { maxLength: 12 });
const rules: fc.Arbitrary<StopRules> = fc.record({
  strings: fc.array(text(5, 1), { maxLength: 4 }),
  minTokens: fc.nat(5),
  includeInOutput: fc.boolean(),
});

/** Gives the tokens' texts one by one, until a stop string ends it. */
function stop(tokens: readonly string[], given: StopRules): StoppedText {
  const stops = new StopStrings(given);
  let output = '';
  for (const [index, piece] of tokens.entries()) {
    const progress = stops.push(piece);
    output += progress.text;
    if (progress.matched !== undefined) {
      return { text: output, matched: progress.matched, tokens: index + 1 };
    }
  }
  return { text: output + stops.flush(), matched: undefined, tokens: tokens.length };
}

suite('stop strings', () => {
  test('end the text where a look at the whole of it does', () => {
    fc.assert(
      fc.property(pieces, rules, (tokens, given) => {
        assert.deepEqual(stop(tokens, given), stopNaively(tokens, given));
      }),
      { numRuns: 20_000 },
    );
  });

  test('end it at the same place however it is cut into tokens', () => {
    const twoCuts = fc.tuple(pieces, fc.array(fc.nat(20), { maxLength: 6 }));
    fc.assert(
      fc.property(twoCuts, rules, ([tokens, places], given) => {
        const whole = [...tokens.join('')];
        const borders = [0, ...places, whole.length].sort((a, b) => a - b);
        const others = borders.map((border, i) =>
          whole.slice(borders[i - 1] ?? 0, border).join(''),
        );
        const anywhere = { ...given, minTokens: 0 };
        const { tokens: _, ...expected } = stop(tokens, anywhere);
        const { tokens: __, ...actual } = stop(others, anywhere);
        assert.deepEqual(actual, expected);
      }),
      { numRuns: 5_000 },
    );
  });

  test('hold back exactly the tail that could begin one', () => {
    fc.assert(
      fc.property(pieces, rules, (tokens, given) => {
        const stops = new StopStrings(given);
        let all = '';
        let output = '';
        for (const piece of tokens) {
          const progress = stops.push(piece);
          if (progress.matched !== undefined) return;
          all += piece;
          output += progress.text;
          const held = heldNaively(all, given.strings);
          assert.equal(output, all.slice(0, all.length - held.length));
        }
        assert.equal(output + stops.flush(), all);
      }),
      { numRuns: 10_000 },
    );
  });

  test('are found in characters whose bytes come in several tokens', () => {
    const bytes = text(12).map((string) => new TextEncoder().encode(string));
    const cuts = fc.array(fc.nat(30), { maxLength: 12 });
    fc.assert(
      fc.property(bytes, cuts, rules, (whole, places, given) => {
        const borders = [0, ...places.sort((a, b) => a - b), whole.length];
        const parts = borders.slice(1).map((border, i) => whole.subarray(borders[i], border));
        const tokenizer: Tokenizer = {
          vocabSize: parts.length,
          encode: () => [],
          tokenBytes: (id) => parts[id]!,
        };
        const stream = new TextStream(tokenizer);
        const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
        const expected = parts.map((part) => decoder.decode(part, { stream: true }));
        const actual = stop(
          parts.map((_, id) => stream.push(id)),
          given,
        );
        assert.deepEqual(actual, stopNaively(expected, given));
      }),
      { numRuns: 5_000 },
    );
  });

  test('that end together count in the order given; one that ends first beats a longer one', () => {
    const of = (strings: readonly string[]) =>
      stop(['xab', 'cd'], { strings, minTokens: 0, includeInOutput: false });
    assert.deepEqual(of(['bc', 'abc']), { text: 'xa', matched: 'bc', tokens: 2 });
    assert.deepEqual(of(['abc', 'bc']), { text: 'x', matched: 'abc', tokens: 2 });
    assert.deepEqual(of(['abcd', 'bc']), { text: 'xa', matched: 'bc', tokens: 2 });
  });
});
