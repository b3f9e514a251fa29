import { invalidArgument, type RpcError } from '../rpc/status.ts';

/** The ends of a range of whole numbers. */
export interface IntegerRange {
  readonly from: number;
  readonly to: number;
}

export const UINT32: IntegerRange = { from: 0, to: 2 ** 32 - 1 };
export const INT32: IntegerRange = { from: -(2 ** 31), to: 2 ** 31 - 1 };

// What a program without types may have given; each throws INVALID_ARGUMENT with the field's name.

export function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalidField(name, 'a number', value);
}

export function checkInteger(name: string, value: unknown, range: IntegerRange): void {
  const valid = Number.isInteger(value) && Number(value) >= range.from && Number(value) <= range.to;
  if (!valid) throw invalidField(name, `a whole number from ${range.from} to ${range.to}`, value);
}

export function checkString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidField(name, 'a string', value);
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw invalidField(name, 'true or false', value);
}

export function checkList(
  name: string,
  value: unknown,
  checkItem: (name: string, item: unknown) => void,
): void {
  if (!Array.isArray(value)) throw invalidField(name, 'an array', value);
  value.forEach((item, index) => {
    checkItem(`${name}[${index}]`, item);
  });
}

export function invalidField(name: string, choice: string, value: unknown): RpcError {
  return invalidArgument(`${name} must be ${choice}, not ${String(value)}`);
}
