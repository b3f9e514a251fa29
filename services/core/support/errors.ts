/**
 * A model that cannot be served: unreadable, malformed, of an unsupported kind, or too large. Exit
 * code 3.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

/**
 * A request or option that breaks its contract; the message names the field and the valid choice:
 * `<field> must …`. Exit code 2.
 */
export class InvalidArgumentError extends Error {
  override readonly name = 'InvalidArgumentError';

  /** The field that the message begins with; undefined where it speaks of something else. */
  get field(): string | undefined {
    return FIELD_AT_FAULT.exec(this.message)?.[1];
  }
}

const FIELD_AT_FAULT = /^([A-Za-z_][\w.[\]-]*) must\b/;

/** Throws when a condition that the program itself must keep does not hold. Always on. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message);
}

/**
 * Throws because a condition that the program itself must keep does not hold. Where it is checked
 * very often, a test before this call spares a message that is put together for nothing.
 */
export function fail(message: string): never {
  throw new Error(`internal error: ${message}`);
}
