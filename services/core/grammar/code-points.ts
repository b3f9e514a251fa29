import { type ByteRange, choice, type Expression, NOTHING, sequence } from './expression.ts';

/** Code points from `low` to `high`, both included. */
export interface CodePointRange {
  readonly low: number;
  readonly high: number;
}

/** Code points in ascending ranges that do not touch. */
export type CodePoints = readonly CodePointRange[];

const LAST = 0x10ffff;
const SURROGATES: CodePointRange = { low: 0xd800, high: 0xdfff };

/** Every code point that UTF-8 has. */
export const ALL_CODE_POINTS: CodePoints = [
  range(0, SURROGATES.low - 1),
  range(SURROGATES.high + 1, LAST),
];

export function range(low: number, high: number = low): CodePointRange {
  return { low, high };
}

/** The characters of a text. */
export function charactersOf(value: string): CodePoints {
  return union(Array.from(value, (character) => range(character.codePointAt(0)!)));
}

/** The union of ranges in any order. */
export function union(ranges: readonly CodePointRange[]): CodePoints {
  const merged: CodePointRange[] = [];
  for (const next of [...ranges].sort((a, b) => a.low - b.low)) {
    const last = merged.at(-1);
    if (last !== undefined && next.low <= last.high + 1) {
      merged[merged.length - 1] = range(last.low, Math.max(last.high, next.high));
    } else merged.push(next);
  }
  return merged;
}

/** The points that are not among the others. */
export function without(points: CodePoints, others: CodePoints): CodePoints {
  const left: CodePointRange[] = [];
  let index = 0;
  for (const { low, high } of points) {
    let next = low;
    while (index < others.length && others[index]!.high < low) index++;
    for (let i = index; next <= high && i < others.length && others[i]!.low <= high; i++) {
      const other = others[i]!;
      if (other.low > next) left.push(range(next, other.low - 1));
      next = other.high + 1;
    }
    if (next <= high) left.push(range(next, high));
  }
  return left;
}

/** All code points but these. */
export function complement(points: CodePoints): CodePoints {
  return without([range(0, LAST)], points);
}

export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  return without(a, complement(b));
}

/** One code point of a set as UTF-8; surrogates have none. */
export function utf8(points: CodePoints): Expression {
  const sequences = without(points, [SURROGATES]).flatMap(({ low, high }) =>
    splitByLength(low, high),
  );
  if (sequences.length === 0) return NOTHING;
  const isByte = (bytes: readonly ByteRange[]): boolean => bytes.length === 1;
  const single = sequences.filter(isByte).map(([byte]) => byte!);
  const longer = sequences.filter((bytes) => !isByte(bytes));
  const options = longer.map((bytes) =>
    sequence(...bytes.map((each): Expression => ({ kind: 'byte', ranges: [each] }))),
  );
  if (single.length > 0) options.unshift({ kind: 'byte', ranges: single });
  return options.length === 1 ? options[0]! : choice(...options);
}

/** Last code points of one, two, three and four bytes. */
const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff, LAST];

function splitByLength(low: number, high: number): (readonly ByteRange[])[] {
  const border = LAST_OF_LENGTH.find((last) => low <= last && last < high);
  if (border !== undefined) {
    return [...splitByLength(low, border), ...splitByLength(border + 1, high)];
  }
  return splitByBytes(low, high);
}

/** Of code points of one length: ranges of bytes whose every combination is meant. */
function splitByBytes(low: number, high: number): (readonly ByteRange[])[] {
  const length = bytesOf(low).length;
  for (let free = 1; free < length; free++) {
    const mask = (1 << (6 * free)) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    // The last `free` bytes run through all values only where the border lies on their grid.
    if ((low & mask) !== 0) {
      return [...splitByBytes(low, low | mask), ...splitByBytes((low | mask) + 1, high)];
    }
    if ((high & mask) !== mask) {
      return [...splitByBytes(low, (high & ~mask) - 1), ...splitByBytes(high & ~mask, high)];
    }
  }
  const [first, last] = [bytesOf(low), bytesOf(high)];
  return [first.map((byte, index) => ({ low: byte, high: last[index]! }))];
}

function bytesOf(codePoint: number): readonly number[] {
  if (codePoint < 0x80) return [codePoint];
  const tail = (shift: number): number => 0x80 | ((codePoint >> shift) & 0x3f);
  if (codePoint < 0x800) return [0xc0 | (codePoint >> 6), tail(0)];
  if (codePoint < 0x10000) return [0xe0 | (codePoint >> 12), tail(6), tail(0)];
  return [0xf0 | (codePoint >> 18), tail(12), tail(6), tail(0)];
}
