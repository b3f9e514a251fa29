import type { sohu } from '#proto';
import type { Constraint } from '../core/grammar/constraint.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';

export function encodeConstraint(constraint: Constraint): sohu.v1.SamplingParams.$Properties {
  switch (constraint.kind) {
    case 'jsonSchema':
      return { jsonSchema: constraint.schema };
    case 'jsonObject':
      return { jsonObject: true };
    case 'regex':
      return { regex: constraint.pattern };
    case 'choice':
      return { choice: { choices: [...constraint.choices] } };
  }
}

/** Throws InvalidArgumentError for the kinds of vLLM's protocol that are not supported. */
export function decodeConstraint(
  params: sohu.v1.SamplingParams.$Properties,
): Constraint | undefined {
  const { jsonSchema, jsonObject, regex, choice, grammar, structuralTag } = params;
  refuse('grammar', grammar);
  refuse('structural_tag', structuralTag);
  if (typeof jsonSchema === 'string') return { kind: 'jsonSchema', schema: jsonSchema };
  if (typeof regex === 'string') return { kind: 'regex', pattern: regex };
  if (choice) return { kind: 'choice', choices: choice.choices ?? [] };
  return jsonObject ? { kind: 'jsonObject' } : undefined;
}

function refuse(field: string, value: string | null | undefined): void {
  if (typeof value !== 'string') return;
  throw new InvalidArgumentError(
    `${field} must be absent: json_schema, json_object, regex and choice are supported`,
  );
}
