const UNITS = ['', 'k', 'M', 'G', 'T'];

/** A number in at most five characters: "0", "7.5", "312", "1.24k", "695k", "2.1M". */
export function compactNumber(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  const decimals = Number.isInteger(rest) || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const text = rest.toFixed(unit === 0 ? Math.min(1, decimals) : decimals);
  return `${text}${UNITS[unit]}`;
}

/** The same, right-aligned. */
export function padded(value: number, width: number): string {
  return compactNumber(value).padStart(width);
}
