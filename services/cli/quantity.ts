import type { Figure, Range } from '../core/hardware/figure.ts';
import { cellOf, type NumberCell } from '../report/report.ts';

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
  const text = formatRange(range, unit === 'mm²' ? formatNumber : formatQuantity);
  const separator = /[kMGTPE]$/.test(text) && unit !== 'transistors' ? '' : ' ';
  const mark = figure.byConstruction
    ? ' (by construction)'
    : origin === 'assumed'
      ? ' (assumed)'
      : '';
  return `${text}${separator}${unit}${mark}`;
}

/** A share as a percentage. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
