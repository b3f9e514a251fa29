import type { Constraint } from '../core/grammar/constraint.ts';
import { checkBoolean, checkList, checkString, invalidField } from './field-checks.ts';

/** What the text must be; exactly one of the fields. */
export interface StructuredOutputs {
  /** JSON that validates against a JSON schema: an object, a boolean, or JSON text. */
  readonly json?: object | boolean | string | undefined;
  /** Any JSON object, where it is true. */
  readonly jsonObject?: boolean | undefined;
  /** A text that a regular expression matches from end to end. */
  readonly regex?: string | undefined;
  /** One of the texts. */
  readonly choice?: readonly string[] | undefined;
}

const FIELD = 'structuredOutputs';
const NAMES = ['json', 'jsonObject', 'regex', 'choice'] as const;

/** Checks the types that the wire needs; what a schema or expression says is for the server. */
export function toConstraint(outputs: unknown): Constraint | undefined {
  if (outputs === undefined) return undefined;
  if (typeof outputs !== 'object' || outputs === null) {
    throw invalidField(FIELD, `an object with one of ${NAMES.join(', ')}`, outputs);
  }
  const given = NAMES.filter((name) => isGiven((outputs as StructuredOutputs)[name]));
  const others = Object.keys(outputs).filter((name) => !NAMES.includes(name as 'json'));
  const [kind] = given;
  if (others.length > 0 || given.length > 1 || kind === undefined) {
    throw invalidField(FIELD, `an object with exactly one of ${NAMES.join(', ')}`, outputs);
  }
  return READERS[kind](outputs as StructuredOutputs);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

type Reader = (outputs: StructuredOutputs) => Constraint | undefined;

const READERS: Readonly<Record<(typeof NAMES)[number], Reader>> = {
  json: ({ json }) => ({
    kind: 'jsonSchema',
    schema: typeof json === 'string' ? json : JSON.stringify(json),
  }),
  jsonObject: ({ jsonObject }) => {
    checkBoolean(`${FIELD}.jsonObject`, jsonObject);
    return jsonObject ? { kind: 'jsonObject' } : undefined;
  },
  regex: ({ regex }) => {
    checkString(`${FIELD}.regex`, regex);
    return { kind: 'regex', pattern: regex! };
  },
  choice: ({ choice }) => {
    checkList(`${FIELD}.choice`, choice, checkString);
    return { kind: 'choice', choices: choice! };
  },
};
