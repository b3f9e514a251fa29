import type { Glyphs } from './glyphs.ts';

/** A bar of `width` columns in its two parts, the second of which is what is left; half columns count. */
export function meterOf(
  share: number,
  width: number,
  { bar }: Glyphs,
): { readonly filled: string; readonly rest: string } {
  const halves = Math.round(2 * width * Math.min(1, Math.max(0, share)));
  const filled = bar.full.repeat(Math.floor(halves / 2)) + bar.half.repeat(halves % 2);
  return { filled, rest: bar.rest.repeat(width - Math.ceil(halves / 2)) };
}
