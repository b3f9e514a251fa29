import { InvalidArgumentError as InvalidOptionError } from 'commander';

/** A cell is printed as it is; give numbers the digits that they deserve before. */
export type Row = Readonly<Record<string, string | number>>;

/** Prints rows under the names of their fields, text to the left and numbers to the right. */
export function printTable(rows: readonly Row[]): void {
  const names = Object.keys(rows[0] ?? {});
  const widths = names.map((name) =>
    Math.max(name.length, ...rows.map((row) => String(row[name]).length)),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) => {
        const isText = typeof rows[0]![names[index]!] === 'string';
        return isText ? String(cell).padEnd(widths[index]!) : String(cell).padStart(widths[index]!);
      })
      .join('  ')
      .trimEnd();
  console.log(line(names));
  for (const row of rows) console.log(line(names.map((name) => row[name]!)));
}

/** A number with so many significant digits, without an exponent. */
export function digits(value: number, significant: number): number {
  return Number(value.toPrecision(significant));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** A parser of comma-separated values, each of which `parse` takes or refuses. */
export function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map((part) => parse(part.trim()));
}

/** A parser of one of a few values. */
export function oneOf<T extends string | number>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((candidate) => String(candidate) === text);
    if (value !== undefined) return value;
    throw new InvalidOptionError(`It must be one of ${values.join(', ')}.`);
  };
}
