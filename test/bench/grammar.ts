import { compileConstraint } from '../../services/core/grammar/compile-constraint.ts';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import type { GrammarState } from '../../services/core/grammar/grammar.ts';
import { TokenGrammars } from '../../services/core/grammar/token-grammars.ts';
import { isAllowed, type TokenMask } from '../../services/core/sampling/token-mask.ts';
import type { Tokenizer } from '../../services/core/text/tokenizer.ts';
import { openBundledModel } from '../support/bundled-grammars.ts';
import { digits, printTable, type Row } from './table.ts';

/** Measures what constraints cost: compiling them, and finding masks, new and remembered. */

const PERSON = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 40 },
    age: { type: 'integer', minimum: 0, maximum: 120 },
    tags: { type: 'array', items: { enum: ['red', 'green', 'blue'] }, maxItems: 5 },
    address: {
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
      required: ['street', 'city'],
    },
  },
  required: ['name', 'age', 'tags', 'address'],
};
const MANY = Object.fromEntries(
  Array.from({ length: 500 }, (_, i) => [`p${i}`, { type: 'string' }]),
);

const CONSTRAINTS: Readonly<Record<string, Constraint>> = {
  'schema of a person': { kind: 'jsonSchema', schema: JSON.stringify(PERSON) },
  'any JSON object': { kind: 'jsonObject' },
  'regex [a-z ]{1,40}\\.': { kind: 'regex', pattern: '[a-z ]{1,40}\\.' },
  '500 choices': {
    kind: 'choice',
    choices: Array.from({ length: 500 }, (_, i) => `item number ${i}`),
  },
  'schema of 500 properties': {
    kind: 'jsonSchema',
    schema: JSON.stringify({ type: 'object', properties: MANY }),
  },
  'regex [a-z]*a.{1000}': { kind: 'regex', pattern: '[a-z]*a.{1000}' },
};

const LARGE_VOCABULARY = 128_256;
const MOST_TOKENS = 150;
const END = 1;

/** The tokenizer's tokens and pairs of them, up to a vocabulary as large as Llama 3's. */
function enlarge(tokenizer: Tokenizer): Tokenizer {
  const base = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id, id));
  const pairs = Array.from({ length: LARGE_VOCABULARY - base.length }, (_, index) => {
    const [first, second] = [index % base.length, (index * 131) % base.length];
    return Uint8Array.of(...base[first]!, ...base[second]!);
  });
  const tokens = [...base, ...pairs];
  return { vocabSize: tokens.length, encode: () => [], tokenBytes: (id) => tokens[id]! };
}

function draw(mask: TokenMask, vocabSize: number, random: number): number {
  const tokens = Array.from({ length: vocabSize }, (_, id) => id).filter((id) =>
    isAllowed(mask, id),
  );
  return tokens[random % tokens.length]!;
}

interface Course {
  readonly durationsMs: readonly number[];
  readonly bytes: number;
}

/** Asks for the masks along some texts that a fixed generator draws. */
function walk(grammars: TokenGrammars, constraint: Constraint, vocabSize: number): Course {
  const durationsMs: number[] = [];
  let [random, bytes] = [1, 0];
  let state: GrammarState | undefined = grammars.begin(constraint, 2);
  while (state !== undefined && durationsMs.length < MOST_TOKENS) {
    const start = performance.now();
    const mask: TokenMask | undefined = state.allowed;
    durationsMs.push(performance.now() - start);
    if (mask === undefined) break;
    bytes += mask.kind === 'bits' ? mask.bits.length : 2 * mask.tokens.length;
    random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff;
    const token = draw(mask, vocabSize, random >> 8);
    state = token === END ? grammars.begin(constraint, 2) : state.advance(token);
  }
  return { durationsMs, bytes };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

function measure(name: string, constraint: Constraint, tokenizer: Tokenizer): Row {
  const { vocabSize } = tokenizer;
  const grammars = new TokenGrammars({ tokenizer, vocabSize, endTokenIds: [END] });
  compileConstraint(constraint); // warms the code
  const start = performance.now();
  compileConstraint(constraint);
  const compileMs = performance.now() - start;
  const first = walk(grammars, constraint, vocabSize);
  const again = walk(grammars, constraint, vocabSize);
  return {
    constraint: name,
    vocabulary: vocabSize,
    'compile, ms': digits(compileMs, 2),
    'first time, ms: mean of a mask': digits(mean(first.durationsMs), 2),
    worst: digits(Math.max(...first.durationsMs), 2),
    'again, ms': digits(mean(again.durationsMs), 2),
    'bytes of a mask': Math.round(first.bytes / first.durationsMs.length),
  };
}

const { tokenizer } = openBundledModel();
printTable(
  [tokenizer, enlarge(tokenizer)].flatMap((each) =>
    Object.entries(CONSTRAINTS).map(([name, constraint]) => measure(name, constraint, each)),
  ),
);
