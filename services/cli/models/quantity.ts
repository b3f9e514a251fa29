import type { Figure, Range } from '../../core/hardware/figure.ts';
import { cellOf, type NumberCell } from '../../report/report.ts';

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** A number with a decimal prefix and three digits, such as "1.98 P". */
export function formatQuantity(value: number): string {
  let scaled = value;
  let prefix = 0;
  while (Math.abs(scaled) >= 999.5 && prefix < PREFIXES.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  return `${Number(scaled.toPrecision(3))} ${PREFIXES[prefix]}`.trimEnd();
}

const COUNT_WORDS = ['', 'k', 'M', 'B', 'T'];

/** A count as model sizes are written, such as "70.6B" and "100T". */
export function formatCount(value: number): string {
  let scaled = value;
  let word = 0;
  while (Math.abs(scaled) >= 999.5 && word < COUNT_WORDS.length - 1) {
    scaled /= 1000;
    word++;
  }
  return `${Number(scaled.toPrecision(3))}${COUNT_WORDS[word]}`;
}

/** A number with three digits, thousands apart where it is large. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return 'unlimited';
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
}

/** One number, or both ends where they differ in print. */
export function formatRange({ low, high }: Range, format = formatNumber): string {
  const texts = [...new Set([format(low), format(high)])];
  return texts.join(' to ');
}

/** A number or a range as a cell of a table. */
export function formatCell(value: number | Range, format = formatNumber): NumberCell {
  const range = typeof value === 'number' ? { low: value, high: value } : value;
  return cellOf(value, formatRange(range, format));
}

/** A figure with its unit, and a mark where it is not published or measured. */
export function formatFigure(figure: Figure): string {
  const { value, origin } = figure;
  const unit = figure.unit.replace('bytes', 'B');
  const range = typeof value === 'number' ? { low: value, high: value } : value;
  const mark = figure.byConstruction
    ? ' (by construction)'
    : origin === 'assumed'
      ? ' (assumed)'
      : '';
  return `${formatRange(range, (end) => withUnit(end, unit))}${mark}`;
}

/** One end with its unit; capacities that are a power of two apart stay in binary gigabytes. */
function withUnit(value: number, unit: string): string {
  if (unit === 'USD') return `$${formatNumber(value)}`;
  if (unit === 'B') return formatCapacity(value);
  if (unit === 'mm²') return `${formatNumber(value)} ${unit}`;
  if (unit === 'transistors') return `${formatCount(value)} ${unit}`;
  const text = formatQuantity(value);
  return `${text}${/[kMGTPE]$/.test(text) ? '' : ' '}${unit}`;
}

/** The memory of a chip as its maker counts it: "80 GiB", or "144 GB". */
export function formatCapacity(bytes: number): string {
  const binary = bytes / 2 ** 30;
  if (Number.isInteger(binary)) return `${binary} GiB`;
  const text = formatQuantity(bytes);
  return `${text}${/[kMGTPE]$/.test(text) ? '' : ' '}B`;
}

/** A share as a percentage. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
