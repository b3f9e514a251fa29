/** What the text of a sample must be; nothing but token ids decides how far it has come. */
export type Constraint =
  /** A JSON value that validates against the schema, which is JSON text itself. */
  | { readonly kind: 'jsonSchema'; readonly schema: string }
  /** Any JSON object. */
  | { readonly kind: 'jsonObject' }
  /** A text that an ECMAScript expression matches from end to end. */
  | { readonly kind: 'regex'; readonly pattern: string }
  /** One of the texts. */
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

/** The field of each kind, as the wire and errors name it. */
export const CONSTRAINT_FIELDS = {
  jsonSchema: 'json_schema',
  jsonObject: 'json_object',
  regex: 'regex',
  choice: 'choice',
} as const satisfies Record<Constraint['kind'], string>;

/** The error of a constraint; the sentence goes on after `<field> must`. */
export type Refuse = (sentence: string) => Error;
