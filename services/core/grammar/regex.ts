import { type AST, RegExpParser } from '@eslint-community/regexpp';
import {
  ALL_CODE_POINTS,
  type CodePoints,
  charactersOf,
  complement,
  range,
  union,
  without,
} from './code-points.ts';
import type { Refuse } from './constraint.ts';
import { choice, EMPTY, type Expression, repeat, sequence, shared } from './expression.ts';

/** How one character of a set is written in the text. */
export type CharacterEncoding = (points: CodePoints) => Expression;

export interface RegexOptions {
  readonly refuse: Refuse;
  readonly encode: CharacterEncoding;
  /** Whether the pattern means all of the text even without `^` and `$`. */
  readonly isWhole: boolean;
}

const DIGIT = [range(0x30, 0x39)];
const WORD = union([...DIGIT, range(0x41, 0x5a), range(0x61, 0x7a), range(0x5f)]);
const SPACE = union([
  ...charactersOf('\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff'),
  range(0x2000, 0x200a),
]);
const LINE_ENDS = charactersOf('\n\r\u2028\u2029');

/**
 * The texts that a regular expression matches: ECMAScript's syntax but for look-around, word
 * borders, back references, properties and flags. Throws what `refuse` makes of those.
 */
export function compileRegex(pattern: string, options: RegexOptions): Expression {
  const { alternatives } = parse(pattern, options);
  return new RegexCompiler(options).outermost(alternatives);
}

function parse(pattern: string, { refuse }: RegexOptions): AST.Pattern {
  const parser = new RegExpParser({ ecmaVersion: 2024 });
  const parseWith = (unicode: boolean): AST.Pattern =>
    parser.parsePattern(pattern, 0, pattern.length, { unicode });
  try {
    return parseWith(true);
  } catch (error) {
    try {
      // Python's and old patterns escape more than they must: `\-`. Without the flag that is
      // allowed, but characters outside the basic plane would fall in two.
      if (!/[\ud800-\udfff]/.test(pattern)) return parseWith(false);
    } catch {
      // The first error speaks of the pattern as it is meant.
    }
    const reason = error instanceof SyntaxError ? error.message : 'it is nested too deeply';
    throw refuse(`be a regular expression: ${reason}`);
  }
}

class RegexCompiler {
  readonly #options: RegexOptions;

  constructor(options: RegexOptions) {
    this.#options = options;
  }

  /** Here and nowhere else `^` and `$` are understood. */
  outermost(alternatives: readonly AST.Alternative[]): Expression {
    return choice(...alternatives.map(({ elements }) => this.#anchored(elements)));
  }

  #anchored(elements: readonly AST.Element[]): Expression {
    const { isWhole, encode } = this.#options;
    const isStart = isAssertion(elements[0], 'start');
    const isEnd = isAssertion(elements.at(-1), 'end');
    const inner = elements.slice(isStart ? 1 : 0, isEnd ? -1 : undefined);
    const anything = repeat(shared(encode(ALL_CODE_POINTS)), 0, Number.POSITIVE_INFINITY);
    const before = isWhole || isStart ? EMPTY : anything;
    const after = isWhole || isEnd ? EMPTY : anything;
    return sequence(before, ...inner.map((element) => this.#element(element)), after);
  }

  #alternatives(alternatives: readonly AST.Alternative[]): Expression {
    return choice(
      ...alternatives.map(({ elements }) =>
        sequence(...elements.map((element) => this.#element(element))),
      ),
    );
  }

  #element(element: AST.Element): Expression {
    switch (element.type) {
      case 'Character':
        return this.#options.encode([range(element.value)]);
      case 'CharacterSet':
        return this.#options.encode(this.#setOf(element));
      case 'CharacterClass':
        return this.#options.encode(this.#classOf(element));
      case 'Quantifier':
        return this.#quantified(element);
      case 'CapturingGroup':
        return this.#alternatives(element.alternatives);
      case 'Group':
        if (element.modifiers === null) return this.#alternatives(element.alternatives);
        break;
      default:
    }
    throw this.#unsupported(element);
  }

  #quantified({ element, min, max }: AST.Quantifier): Expression {
    const part = this.#element(element);
    const isSimple = element.type === 'Character' || max === 1;
    return repeat(isSimple ? part : shared(part), min, max);
  }

  #setOf(set: AST.CharacterClassElement | AST.CharacterSet): CodePoints {
    if (set.type === 'Character') return [range(set.value)];
    if (set.type === 'CharacterClassRange') return [range(set.min.value, set.max.value)];
    if (set.type !== 'CharacterSet') throw this.#unsupported(set);
    if (set.kind === 'any') return without(ALL_CODE_POINTS, LINE_ENDS);
    if (set.kind === 'property') throw this.#unsupported(set);
    const points = { digit: DIGIT, word: WORD, space: SPACE }[set.kind];
    return set.negate ? complement(points) : points;
  }

  #classOf({ elements, negate }: AST.CharacterClass): CodePoints {
    const points = union(elements.flatMap((element) => this.#setOf(element)));
    return negate ? complement(points) : points;
  }

  #unsupported({ raw, type }: AST.Element | AST.CharacterClassElement): Error {
    const isAnchor = type === 'Assertion' && (raw === '^' || raw === '$');
    const sentence = isAnchor
      ? `have ${raw} only at the ends of the whole pattern`
      : `not have ${raw}: look-around, word borders, back references, properties and flags are not supported`;
    return this.#options.refuse(sentence);
  }
}

function isAssertion(element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
  return element?.type === 'Assertion' && element.kind === kind;
}
