import picocolors from 'picocolors';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in the largest decimal unit that leaves at least 1, such as "1.24 MB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${threeDigits(value, unit === 0)} ${BYTE_UNITS[unit]}`;
}

/** A duration in microseconds, milliseconds or seconds, such as "12.3 ms". */
export function formatMs(durationMs: number): string {
  if (durationMs > 0 && durationMs < 0.0995) return `${threeDigits(1000 * durationMs, false)} µs`;
  return durationMs < 999.5
    ? `${threeDigits(durationMs, false)} ms`
    : `${threeDigits(durationMs / 1000, false)} s`;
}

/** "1 token", "2 tokens". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Colours where the stream is a terminal and the user has not forbidden them. */
export function colorsFor(stream: NodeJS.WriteStream): ReturnType<typeof picocolors.createColors> {
  const { NO_COLOR, TERM } = process.env;
  return picocolors.createColors(stream.isTTY === true && !NO_COLOR && TERM !== 'dumb');
}

function threeDigits(value: number, whole: boolean): string {
  if (whole || value === 0) return String(value);
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(decimals);
}
