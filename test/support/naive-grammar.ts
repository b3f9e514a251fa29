import type { Expression, Rule } from '../../services/core/grammar/expression.ts';

/**
 * What may follow a text, by the definition: the derivatives of an expression by one byte after the other, with
 * neither automaton, trie nor memory.
 */
export class NaiveGrammar {
  readonly #rest: readonly Expression[];

  constructor(rest: readonly Expression[]) {
    this.#rest = rest.filter((each) => hasText(each, new Set()));
  }

  /** Whether some text goes on so. */
  get isAlive(): boolean {
    return this.#rest.length > 0;
  }

  /** Whether the text may end here. */
  get accepts(): boolean {
    return this.#rest.some((each) => hasEmptyText(each, new Set()));
  }

  after(bytes: Uint8Array): NaiveGrammar {
    let rest = this.#rest;
    for (const byte of bytes) rest = distinct(rest.flatMap((each) => derivatives(each, byte)));
    return new NaiveGrammar(rest);
  }
}

/** Ambiguous expressions derive the same rest in ways that multiply with every byte. */
function distinct(expressions: readonly Expression[]): readonly Expression[] {
  return [...new Map(expressions.map((each) => [keyOf(each), each])).values()];
}

/** Equal for equal expressions; rules are told apart by their number. */
function keyOf(expression: Expression): string {
  switch (expression.kind) {
    case 'byte':
      return `[${expression.ranges.map(({ low, high }) => `${low}-${high}`)}]`;
    case 'texts':
      return `{${expression.texts.map((text) => text.join(' '))}}`;
    case 'sequence':
      return flatParts(expression).map(keyOf).join('');
    case 'choice':
      return `(${expression.options.map(keyOf).join('|')})`;
    case 'repeat':
      return `<${keyOf(expression.part)} ${expression.least} ${expression.most}>`;
    case 'rule':
      return `#${numberOf(expression.rule)}`;
  }
}

function flatParts(expression: Expression): readonly Expression[] {
  return expression.kind === 'sequence' ? expression.parts.flatMap(flatParts) : [expression];
}

const numbers = new WeakMap<Rule, number>();
let count = 0;

function numberOf(rule: Rule): number {
  const number = numbers.get(rule) ?? ++count;
  numbers.set(rule, number);
  return number;
}

type Open = ReadonlySet<Rule>;

/** A shortest derivation never passes through a rule inside the same rule. */
function hasText(expression: Expression, open: Open): boolean {
  switch (expression.kind) {
    case 'byte':
      return expression.ranges.length > 0;
    case 'texts':
      return expression.texts.length > 0;
    case 'sequence':
      return expression.parts.every((part) => hasText(part, open));
    case 'choice':
      return expression.options.some((option) => hasText(option, open));
    case 'repeat':
      return expression.least === 0 || hasText(expression.part, open);
    case 'rule':
      return (
        !open.has(expression.rule) &&
        hasText(expression.rule.body, new Set([...open, expression.rule]))
      );
  }
}

function hasEmptyText(expression: Expression, open: Open): boolean {
  switch (expression.kind) {
    case 'byte':
      return false;
    case 'texts':
      return expression.texts.some(({ length }) => length === 0);
    case 'sequence':
      return expression.parts.every((part) => hasEmptyText(part, open));
    case 'choice':
      return expression.options.some((option) => hasEmptyText(option, open));
    case 'repeat':
      return expression.least === 0 || hasEmptyText(expression.part, open);
    case 'rule':
      return (
        !open.has(expression.rule) &&
        hasEmptyText(expression.rule.body, new Set([...open, expression.rule]))
      );
  }
}

function derivatives(expression: Expression, byte: number): Expression[] {
  switch (expression.kind) {
    case 'byte':
      return expression.ranges.some(({ low, high }) => low <= byte && byte <= high) ? [EMPTY] : [];
    case 'texts': {
      const texts = expression.texts
        .filter(([first]) => first === byte)
        .map((each) => each.slice(1));
      return texts.length === 0 ? [] : [{ kind: 'texts', texts }];
    }
    case 'choice':
      return expression.options.flatMap((option) => derivatives(option, byte));
    case 'rule':
      return derivatives(expression.rule.body, byte);
    case 'sequence':
      return derivativesOfSequence(expression.parts, byte);
    case 'repeat': {
      const { part, least, most } = expression;
      if (most === 0) return [];
      const rest: Expression = {
        kind: 'repeat',
        part,
        least: Math.max(0, least - 1),
        most: most - 1,
      };
      return derivatives(part, byte).map((each) => ({ kind: 'sequence', parts: [each, rest] }));
    }
  }
}

const EMPTY: Expression = { kind: 'sequence', parts: [] };

function derivativesOfSequence(
  [first, ...others]: readonly Expression[],
  byte: number,
): Expression[] {
  if (first === undefined) return [];
  const inFirst = derivatives(first, byte).map(
    (each): Expression => ({ kind: 'sequence', parts: [each, ...others] }),
  );
  if (!hasEmptyText(first, new Set())) return inFirst;
  return [...inFirst, ...derivativesOfSequence(others, byte)];
}
