const UNITS = ['', 'k', 'M', 'G', 'T', 'P'];

/** Three significant digits, with a unit of thousands: `12.3 k`; small whole numbers as they are. */
export function count(value: number): string {
  if (value < 1000) return Number.isInteger(value) ? String(value) : digits(value);
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(value * 1.0005) / 3));
  return `${digits(value / 1000 ** power)} ${UNITS[power]}`;
}

/** Bytes in powers of 1000, as data sheets have them. */
export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  const text = count(value);
  return `${text}B`;
}

/** A share from 0 to 1 in per cent; what is small is not shown as none. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.001) return '<0.001 %';
  return `${digits(value)} %`;
}

/** At most three significant digits, and no decimals beyond a thousandth. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  if (magnitude >= 1) return value.toFixed(2);
  if (value === 0) return '0';
  return magnitude < 0.001 ? '<0.001' : value.toFixed(3);
}

/** Time in the unit that suits it. */
export function duration(ms: number): string {
  if (ms >= 3_600_000) {
    return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
  }
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  if (ms >= 1000) return `${digits(ms / 1000)} s`;
  if (ms >= 1 || ms === 0) return `${digits(ms)} ms`;
  return `${digits(ms * 1000)} µs`;
}

/** A request's name without what all of them have: the API and the middle of its digits. */
export function shortId(requestId: string, index: number): string {
  const name = requestId.replace(/^(?:chatcmpl|cmpl)-/, '');
  const text = name.length > 14 ? `${name.slice(0, 6)}…${name.slice(-4)}` : name;
  return index === 0 ? text : `${text} #${index}`;
}
