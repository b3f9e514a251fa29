import { choice, type Expression, repeat, sequence, text } from './expression.ts';
import { DIGIT, MOST_DIGITS, NUMBER } from './json-text.ts';

/** What a schema allows of a number; undefined where it sets no bound. */
export interface NumberBounds {
  readonly minimum: number | undefined;
  readonly exclusiveMinimum: number | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMaximum: number | undefined;
}

/** Largest whole number that is written: all of its digits are exact in a double. */
const LARGEST = 10 ** MOST_DIGITS - 1;
/** Bounds beyond it leave a double no room for fractions of six digits. */
const LARGEST_WITH_FRACTION = 1e9;
const FRACTION = sequence(text('.'), repeat(DIGIT, 1, 6));

/** The whole numbers within bounds, without fraction and exponent; none where there is no such. */
export function integerWithin(bounds: NumberBounds): Expression {
  const { least, most } = wholeRange(bounds);
  return choice(
    naturals(Math.max(0, least), most),
    sequence(text('-'), naturals(Math.max(1, -most), -least)),
  );
}

/**
 * Numbers within bounds: the whole ones, and those whose fraction may be any because the whole
 * numbers on both of its sides are within bounds.
 */
export function numberWithin(bounds: NumberBounds): Expression {
  const given = Object.values(bounds).filter((bound) => bound !== undefined);
  if (given.length === 0) return NUMBER;
  if (given.some((bound) => Math.abs(bound) > LARGEST_WITH_FRACTION)) return integerWithin(bounds);
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = bounds;
  const floor = Math.max(minimum ?? -LARGEST, exclusiveMinimum ?? -LARGEST);
  const ceiling = Math.min(maximum ?? LARGEST, exclusiveMaximum ?? LARGEST);
  const { least, most } = wholeRange(bounds);
  // n.f lies in [n, n + 1), and -n.f in (-(n + 1), -n].
  const above = naturals(Math.max(0, least), Math.floor(ceiling) - 1);
  const below = naturals(Math.max(0, -most), -Math.ceil(floor) - 1);
  return choice(
    integerWithin(bounds),
    sequence(above, FRACTION),
    sequence(text('-'), below, FRACTION),
  );
}

function wholeRange(bounds: NumberBounds): { readonly least: number; readonly most: number } {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = bounds;
  return {
    least: Math.max(
      Math.ceil(minimum ?? -LARGEST),
      Math.floor(exclusiveMinimum ?? -LARGEST - 1) + 1,
      -LARGEST,
    ),
    most: Math.min(
      Math.floor(maximum ?? LARGEST),
      Math.ceil(exclusiveMaximum ?? LARGEST + 1) - 1,
      LARGEST,
    ),
  };
}

/** Decimal digits of the numbers from `least` (at least 0) to `most`. */
function naturals(least: number, most: number): Expression {
  const options: Expression[] = [];
  for (let length = String(least).length; least <= most && length <= MOST_DIGITS; length++) {
    const first = Math.max(least, length === 1 ? 0 : 10 ** (length - 1));
    const last = Math.min(most, 10 ** length - 1);
    if (first <= last) options.push(digitsBetween(String(first), String(last)));
  }
  return choice(...options);
}

/** Digit strings of one length, in order. */
function digitsBetween(first: string, last: string): Expression {
  if (/^0*$/.test(first) && /^9*$/.test(last)) return repeat(DIGIT, first.length, first.length);
  const [low, high] = [Number(first[0]), Number(last[0])];
  const [firstRest, lastRest] = [first.slice(1), last.slice(1)];
  if (low === high) return sequence(text(first[0]!), digitsBetween(firstRest, lastRest));
  const { length } = firstRest;
  const options = [
    sequence(text(first[0]!), digitsBetween(firstRest, '9'.repeat(length))),
    sequence(text(last[0]!), digitsBetween('0'.repeat(length), lastRest)),
  ];
  if (high - low > 1) {
    const ranges = [{ low: 0x31 + low, high: 0x2f + high }];
    options.push(sequence({ kind: 'byte', ranges }, repeat(DIGIT, length, length)));
  }
  return choice(...options);
}
