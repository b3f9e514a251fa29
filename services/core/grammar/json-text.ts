import {
  ALL_CODE_POINTS,
  type CodePoints,
  charactersOf,
  intersection,
  range,
  utf8,
  without,
} from './code-points.ts';
import {
  type ByteRange,
  choice,
  type Expression,
  optional,
  recursive,
  repeat,
  sequence,
  shared,
  text,
  texts,
} from './expression.ts';

const INFINITE = Number.POSITIVE_INFINITY;
const CONTROLS: CodePoints = [range(0, 0x1f)];
const SHORT_ESCAPES = new Map(
  Object.entries({ '"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' }),
);
const ESCAPED: CodePoints = [...CONTROLS, ...charactersOf('"'), ...charactersOf('\\')];

/** Between elements and after a colon a space may stand, and no other white space anywhere. */
const SPACE = optional(text(' '));
export const COMMA = sequence(text(','), SPACE);
export const COLON = sequence(text(':'), SPACE);

/** One of the code points inside a string: as itself, or escaped where it must be. */
export function jsonCharacter(points: CodePoints): Expression {
  const escapes = intersection(points, ESCAPED).flatMap(({ low, high }) =>
    Array.from({ length: high - low + 1 }, (_, index) => escapeOf(low + index)),
  );
  const plain = utf8(without(points, ESCAPED));
  return escapes.length === 0 ? plain : choice(plain, texts(escapes));
}

function escapeOf(codePoint: number): string {
  const short = SHORT_ESCAPES.get(String.fromCodePoint(codePoint));
  return short === undefined ? `\\u${codePoint.toString(16).padStart(4, '0')}` : `\\${short}`;
}

function bytes(...ranges: readonly (readonly [number, number])[]): Expression {
  const all = ranges.map(([low, high]): ByteRange => ({ low, high }));
  return { kind: 'byte', ranges: all };
}

export const DIGIT = bytes([0x30, 0x39]);
export const POSITIVE_DIGIT = bytes([0x31, 0x39]);
const HEX = bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);

/** `\uXXXX`, two of them for a code point above the basic plane; no lone surrogate. */
const UNICODE_ESCAPE = sequence(
  text('\\u'),
  choice(
    sequence(bytes([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]), HEX),
    sequence(texts(['d', 'D']), bytes([0x30, 0x37])),
    sequence(
      texts(['d', 'D']),
      texts(['8', '9', 'a', 'b', 'A', 'B']),
      HEX,
      HEX,
      text('\\u'),
      texts(['d', 'D']),
      texts(['c', 'd', 'e', 'f', 'C', 'D', 'E', 'F']),
    ),
  ),
  HEX,
  HEX,
);

/** Any code point inside a string, in every way that JSON may write it. */
const ANY_CHARACTER = shared(
  choice(
    utf8(without(ALL_CODE_POINTS, ESCAPED)),
    texts(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map((letter) => `\\${letter}`)),
    UNICODE_ESCAPE,
  ),
);

/** A string of some content. */
export function quoted(content: Expression): Expression {
  return sequence(text('"'), content, text('"'));
}

/** A string of `least` to `most` code points. */
export function stringOf(least: number, most: number): Expression {
  return quoted(repeat(ANY_CHARACTER, least, most));
}

/**
 * A string without escapes that is none of the names; what begins like a name leaves it, or ends
 * short of it.
 */
export function keyOtherThan(names: readonly string[]): Expression {
  const plain = without(ALL_CODE_POINTS, ESCAPED);
  const anything = repeat(shared(utf8(plain)), 0, INFINITE);
  const after = (words: readonly (readonly number[])[]): Expression => {
    const heads = [...new Set(words.flatMap(([head]) => head ?? []))];
    const options = heads.map((head) =>
      sequence(
        utf8([range(head)]),
        after(words.filter((word) => word[0] === head).map((word) => word.slice(1))),
      ),
    );
    const others = without(plain, listed(heads));
    const isName = words.some(({ length }) => length === 0);
    return choice(...options, sequence(utf8(others), anything), ...(isName ? [] : [text('')]));
  };
  // Names that need an escape are none of these strings anyway.
  const words = names
    .map((name) => Array.from(name, (character) => character.codePointAt(0)!))
    .filter((word) => word.every((point) => intersection(plain, [range(point)]).length > 0));
  return quoted(after(words));
}

function listed(points: readonly number[]): CodePoints {
  return [...points]
    .sort((a, b) => a - b)
    .flatMap((point) => charactersOf(String.fromCodePoint(point)));
}

/** An object of members, from none on. */
export function objectOf(member: Expression): Expression {
  const more = repeat(sequence(COMMA, member), 0, INFINITE);
  return sequence(text('{'), optional(sequence(member, more)), text('}'));
}

export const BOOLEAN = texts(['true', 'false']);
export const NULL = text('null');

/** Digits of a whole number: all of them are exact in a double. */
export const MOST_DIGITS = 15;
const FRACTION = sequence(text('.'), repeat(DIGIT, 1, MOST_DIGITS));
const EXPONENT = sequence(texts(['e', 'E', 'e+', 'E+', 'e-', 'E-']), repeat(DIGIT, 1, 2));
const MAGNITUDE = choice(text('0'), sequence(POSITIVE_DIGIT, repeat(DIGIT, 0, MOST_DIGITS - 1)));

/** Any number; digits are bounded, so that it ends. */
export const NUMBER = sequence(
  optional(text('-')),
  MAGNITUDE,
  optional(FRACTION),
  optional(EXPONENT),
);

export const ANY_STRING = shared(stringOf(0, INFINITE));

/** Any value. */
export const ANY_VALUE = recursive((value) => {
  const more = repeat(sequence(COMMA, value), 0, INFINITE);
  const array = sequence(text('['), optional(sequence(value, more)), text(']'));
  const object = objectOf(sequence(ANY_STRING, COLON, value));
  return choice(ANY_STRING, shared(NUMBER), BOOLEAN, NULL, array, object);
});

export const ANY_ARRAY = sequence(
  text('['),
  optional(sequence(ANY_VALUE, repeat(sequence(COMMA, ANY_VALUE), 0, INFINITE))),
  text(']'),
);

export const ANY_OBJECT = objectOf(sequence(ANY_STRING, COLON, ANY_VALUE));
