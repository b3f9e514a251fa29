import type { AuditUnit } from '../../core/claim/audit-line.ts';
import type { Range } from '../../core/hardware/figure.ts';
import { formatNumber, formatQuantity, formatRange, formatShare } from '../models/quantity.ts';
import { formatMs } from '../terminal/format.ts';

/** Up to here bytes are printed one by one. */
const MANY_BYTES = 1e6;
const PICO = 1e-12;
const BILLION = 1e9;

/** A figure of an audit with its unit, or both ends of it. */
export function formatAuditValue(value: number | Range, unit: AuditUnit): string {
  const range = typeof value === 'number' ? { low: value, high: value } : value;
  return formatRange(range, (one) => formatOne(one, unit));
}

function formatOne(value: number, unit: AuditUnit): string {
  switch (unit) {
    case 'times':
      return `${formatNumber(value)} ×`;
    case 'share':
      return formatShare(value);
    case 's':
      return formatMs(1000 * value);
    case 'J/FLOP':
      return `${formatNumber(value / PICO)} pJ/FLOP`;
    case 'USD':
      return value < BILLION
        ? `$${formatNumber(value)}`
        : `$${formatNumber(value / BILLION)} billion`;
    case 'B':
      return value < MANY_BYTES ? `${formatNumber(value)} B` : `${formatQuantity(value)}B`;
    case 'B/s':
    case 'FLOP':
    case 'FLOP/s':
      return `${formatQuantity(value)}${unit}`;
    case 'FMA':
    case 'transistors':
      return `${formatQuantity(value)} ${unit}`;
    default:
      return `${formatNumber(value)} ${unit}`;
  }
}
