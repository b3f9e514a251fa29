import { InvalidArgumentError } from '../support/errors.ts';
import { buildAutomaton } from './automaton.ts';
import { utf8 } from './code-points.ts';
import { CONSTRAINT_FIELDS, type Constraint, type Refuse } from './constraint.ts';
import { type Expression, texts } from './expression.ts';
import { compileJsonSchema } from './json-schema.ts';
import { ANY_OBJECT } from './json-text.ts';
import { Machine } from './machine.ts';
import { compileRegex } from './regex.ts';

const MAX_SCHEMA_LENGTH = 65_536;
const MAX_PATTERN_LENGTH = 4_096;
const MAX_CHOICES = 4_096;
const MAX_CHOICES_LENGTH = 65_536;

/**
 * The machine of a constraint. Throws InvalidArgumentError, with the field's name, for what is no
 * constraint, unsupported or too large; what that takes is bounded.
 */
export function compileConstraint(constraint: Constraint): Machine {
  const refuse: Refuse = (sentence) =>
    new InvalidArgumentError(`${CONSTRAINT_FIELDS[constraint.kind]} must ${sentence}`);
  checkSize(constraint, refuse);
  try {
    return new Machine(buildAutomaton(expressionOf(constraint, refuse), refuse));
  } catch (error) {
    if (error instanceof RangeError) throw refuse('be nested less deeply');
    throw error;
  }
}

/** The texts of a constraint. */
export function expressionOf(constraint: Constraint, refuse: Refuse): Expression {
  switch (constraint.kind) {
    case 'jsonObject':
      return ANY_OBJECT;
    case 'jsonSchema':
      return compileJsonSchema(constraint.schema, refuse);
    case 'regex':
      return compileRegex(constraint.pattern, { refuse, encode: utf8, isWhole: true });
    case 'choice':
      return texts(constraint.choices);
  }
}

function checkSize(constraint: Constraint, refuse: Refuse): void {
  if (constraint.kind === 'jsonSchema') {
    checkLength(constraint.schema.length, MAX_SCHEMA_LENGTH, refuse);
  }
  if (constraint.kind === 'regex')
    checkLength(constraint.pattern.length, MAX_PATTERN_LENGTH, refuse);
  if (constraint.kind !== 'choice') return;
  const { choices } = constraint;
  if (choices.length < 1 || choices.length > MAX_CHOICES) {
    throw refuse(`have 1 to ${MAX_CHOICES} texts, not ${choices.length}`);
  }
  if (choices.includes('')) throw refuse('have no empty text');
  const length = choices.reduce((sum, each) => sum + each.length, 0);
  checkLength(length, MAX_CHOICES_LENGTH, refuse);
}

function checkLength(length: number, most: number, refuse: Refuse): void {
  if (length > most) throw refuse(`have at most ${most} characters, not ${length}`);
}
