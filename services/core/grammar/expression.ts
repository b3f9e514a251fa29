import { encodeUtf8 } from '../text/utf8.ts';

/** Bytes from `low` to `high`, both included. */
export interface ByteRange {
  readonly low: number;
  readonly high: number;
}

/** A set of byte strings. */
export type Expression =
  /** One byte of any of the ranges. */
  | { readonly kind: 'byte'; readonly ranges: readonly ByteRange[] }
  /** Any of the texts. */
  | { readonly kind: 'texts'; readonly texts: readonly Uint8Array[] }
  /** One part after the other. */
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  /** Any of the options; nothing at all where there is none. */
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  /** From `least` to `most` times; `most` may be infinite. */
  | {
      readonly kind: 'repeat';
      readonly part: Expression;
      readonly least: number;
      readonly most: number;
    }
  /** What the rule stands for, which may refer to the rule again. */
  | { readonly kind: 'rule'; readonly rule: Rule };

/** A named set that is compiled once, wherever it is referred to. */
export interface Rule {
  body: Expression;
}

/** The empty text alone. */
export const EMPTY: Expression = { kind: 'sequence', parts: [] };

/** No text. */
export const NOTHING: Expression = { kind: 'choice', options: [] };

export function text(value: string): Expression {
  return texts([value]);
}

export function texts(values: readonly string[]): Expression {
  return { kind: 'texts', texts: values.map(encodeUtf8) };
}

export function sequence(...parts: readonly Expression[]): Expression {
  return { kind: 'sequence', parts };
}

export function choice(...options: readonly Expression[]): Expression {
  return { kind: 'choice', options };
}

export function optional(part: Expression): Expression {
  return choice(EMPTY, part);
}

export function repeat(part: Expression, least: number, most: number): Expression {
  return { kind: 'repeat', part, least, most };
}

/** A rule of its own, so that what uses it several times does not grow by it. */
export function shared(body: Expression): Expression {
  return { kind: 'rule', rule: { body } };
}

/** A rule whose body may refer to the rule. */
export function recursive(bodyOf: (self: Expression) => Expression): Expression {
  const rule: Rule = { body: NOTHING };
  const self: Expression = { kind: 'rule', rule };
  rule.body = bodyOf(self);
  return self;
}
