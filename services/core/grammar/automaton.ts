import type { Refuse } from './constraint.ts';
import type { Expression, Rule } from './expression.ts';
import { checkExpression, type ExpressionFacts } from './expression-checks.ts';

/** A transition for the byte classes from `low` to `high`, both included. */
export interface Edge {
  low: number;
  high: number;
  readonly target: number;
}

/** A place in an expression. */
export interface Place {
  /** Where a byte leads. */
  readonly edges: Edge[];
  /** Where it may go on without a byte. */
  readonly jumps: number[];
  /** A rule to pass through on the way to the only jump: its entry. */
  call: number | undefined;
}

/** The end of the expression, and of each of its rules. */
export const END = 0;

/** A pushdown automaton over bytes: its stack holds the places to go on from at the end of rules. */
export interface Automaton {
  readonly places: readonly Place[];
  readonly start: number;
  /** [256]: bytes of one class lead to the same places everywhere. */
  readonly classes: Uint8Array;
  readonly classCount: number;
}

/** More would take more memory and time than one request may. */
export const MAX_PLACES = 32_768;

/**
 * Compiles an expression; throws what `refuse` makes of one that is too large, that has no finite
 * text, or whose rules begin with themselves.
 */
export function buildAutomaton(root: Expression, refuse: Refuse): Automaton {
  const facts = checkExpression(root);
  if (!facts.isProductive(root)) throw refuse('allow at least one finite text');
  if (facts.isLeftRecursive) throw refuse('not refer to itself without anything before it');
  const builder = new AutomatonBuilder(facts, refuse);
  const start = builder.build(root, END);
  builder.buildRules();
  return { places: builder.places, start, ...classify(builder.places) };
}

class AutomatonBuilder {
  readonly places: Place[] = [];
  readonly #facts: ExpressionFacts;
  readonly #refuse: Refuse;
  readonly #entries = new Map<Rule, number>();
  /** Rules that are referred to and not built. */
  readonly #open: Rule[] = [];

  constructor(facts: ExpressionFacts, refuse: Refuse) {
    this.#facts = facts;
    this.#refuse = refuse;
    this.#add(); // END
  }

  /** The place from which the expression leads to `next`; only what has finite texts is built. */
  build(expression: Expression, next: number): number {
    switch (expression.kind) {
      case 'byte': {
        const edges = expression.ranges.map(({ low, high }) => ({ low, high, target: next }));
        return this.#add({ edges });
      }
      case 'texts':
        return this.#texts(expression.texts, next);
      case 'sequence':
        return expression.parts.reduceRight((after, part) => this.build(part, after), next);
      case 'choice': {
        const options = expression.options.filter((option) => this.#facts.isProductive(option));
        return this.#add({ jumps: options.map((option) => this.build(option, next)) });
      }
      case 'repeat':
        return this.#repeat(expression, next);
      case 'rule':
        return this.#add({ jumps: [next], call: this.#entryOf(expression.rule) });
    }
  }

  /** Builds the rules that are referred to, one after the other: chains of them may be long. */
  buildRules(): void {
    for (let rule = this.#open.pop(); rule !== undefined; rule = this.#open.pop()) {
      const entry = this.#entries.get(rule)!;
      this.places[entry]!.jumps.push(this.build(rule.body, END));
    }
  }

  #entryOf(rule: Rule): number {
    let entry = this.#entries.get(rule);
    if (entry === undefined) {
      entry = this.#add();
      this.#entries.set(rule, entry);
      this.#open.push(rule);
    }
    return entry;
  }

  #repeat({ part, least, most }: Extract<Expression, { kind: 'repeat' }>, next: number): number {
    let place = next;
    if (this.#facts.isProductive(part)) {
      if (most === Number.POSITIVE_INFINITY) {
        place = this.#add({ jumps: [next] });
        this.places[place]!.jumps.push(this.build(part, place));
      }
      for (let left = most - least; left > 0 && Number.isFinite(left); left--) {
        place = this.#add({ jumps: [next, this.build(part, place)] });
      }
    }
    for (let left = least; left > 0; left--) place = this.build(part, place);
    return place;
  }

  /** Texts that begin alike share places, so that a long list does not widen every step. */
  #texts(texts: readonly Uint8Array[], next: number): number {
    const root = this.#add();
    const children = new Map<string, number>();
    for (const bytes of texts) {
      let place = root;
      bytes.forEach((byte, index) => {
        const isLast = index === bytes.length - 1;
        const key = `${place},${byte}`;
        let child = children.get(key);
        if (child === undefined) {
          child = this.#add();
          children.set(key, child);
          this.places[place]!.edges.push({ low: byte, high: byte, target: child });
        }
        place = child;
        if (isLast) this.places[place]!.jumps.push(next);
      });
      if (bytes.length === 0) this.places[root]!.jumps.push(next);
    }
    return root;
  }

  #add({ edges = [], jumps = [], call }: Partial<Place> = {}): number {
    if (this.places.length >= MAX_PLACES) {
      throw this.#refuse(
        `be smaller: with its repetitions written out it has more than ${MAX_PLACES} parts`,
      );
    }
    return this.places.push({ edges, jumps, call }) - 1;
  }
}

/** Finds the byte classes, and puts the edges in their terms. */
function classify(places: readonly Place[]): Pick<Automaton, 'classes' | 'classCount'> {
  const begins = new Uint8Array(257);
  for (const { edges } of places) {
    for (const { low, high } of edges) {
      begins[low] = 1;
      begins[high + 1] = 1;
    }
  }
  const classes = new Uint8Array(256);
  for (let byte = 1; byte < 256; byte++) classes[byte] = classes[byte - 1]! + begins[byte]!;
  for (const { edges } of places) {
    for (const edge of edges) {
      edge.low = classes[edge.low]!;
      edge.high = classes[edge.high]!;
    }
  }
  return { classes, classCount: classes[255]! + 1 };
}
