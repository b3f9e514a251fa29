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

/** A long duration in its two largest units, such as "2 h 5 min"; whole seconds. */
export function formatDuration(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  const parts = units.slice(first < 0 ? -1 : first).slice(0, 2);
  let left = seconds;
  return parts
    .map(([unit, size]) => {
      const count = Math.floor(left / size);
      left -= count * size;
      return `${count} ${unit}`;
    })
    .join(' ');
}

/** A share in at most five characters: "0%", "<.01%", "0.02%", "1.5%", "34%". */
export function formatShare(share: number): string {
  const percent = 100 * share;
  if (percent === 0 || percent >= 9.95) return `${Math.round(percent)}%`;
  if (percent < 0.01) return '<.01%';
  return `${percent.toFixed(percent < 0.995 ? 2 : 1)}%`;
}

/** "1 token", "2 tokens". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Colours where the stream is a terminal; NO_COLOR (any value) forbids them, FORCE_COLOR (any value
 * but 0) asks for them elsewhere too. NO_COLOR wins.
 */
export function colorsFor(
  stream: { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
): ReturnType<typeof picocolors.createColors> {
  const { NO_COLOR, FORCE_COLOR, TERM } = env;
  if (NO_COLOR) return picocolors.createColors(false);
  if (FORCE_COLOR !== undefined) return picocolors.createColors(FORCE_COLOR !== '0');
  return picocolors.createColors(stream.isTTY === true && TERM !== 'dumb');
}

function threeDigits(value: number, whole: boolean): string {
  if (whole || value === 0) return String(value);
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(decimals);
}
