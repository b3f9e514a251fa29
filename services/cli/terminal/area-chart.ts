import type { Glyphs } from './glyphs.ts';

export interface AreaChartSize {
  /** In columns and lines of text. */
  readonly width: number;
  readonly height: number;
  /** The value at the upper edge, above 0. */
  readonly top: number;
}

const BRAILLE = 0x2800;
/** Dots of a column of a braille cell, from the lowest. */
const DOTS = [
  [0x40, 0x04, 0x02, 0x01],
  [0x80, 0x20, 0x10, 0x08],
] as const;
const DOTS_HIGH = 4;

/** Values that fit beside each other into a chart of that width. */
export function chartCapacity(width: number, { isAscii }: Glyphs): number {
  return isAscii ? width : 2 * width;
}

/**
 * An area below the last values, the newest at the right: two values a column in braille, one in
 * ASCII. The lowest dot stands for any value, so that it shows since when there are values.
 */
export function areaChart(
  values: readonly number[],
  size: AreaChartSize,
  glyphs: Glyphs,
): readonly string[] {
  const capacity = chartCapacity(size.width, glyphs);
  const steps = size.height * (glyphs.isAscii ? 2 : DOTS_HIGH);
  const shown = values.slice(Math.max(0, values.length - capacity));
  const heights = [
    ...new Array<number>(capacity - shown.length).fill(0),
    ...shown.map((value) => Math.min(steps, Math.max(1, Math.round((steps * value) / size.top)))),
  ];
  const row = glyphs.isAscii ? asciiRow : brailleRow;
  return Array.from({ length: size.height }, (_, line) => row(heights, size.height - 1 - line));
}

function brailleRow(heights: readonly number[], fromBottom: number): string {
  let row = '';
  for (let column = 0; column < heights.length; column += 2) {
    const cell = DOTS.map((dots, side) => {
      const height = (heights[column + side] ?? 0) - fromBottom * DOTS_HIGH;
      return dots.slice(0, Math.max(0, height)).reduce<number>((sum, dot) => sum + dot, 0);
    });
    row += String.fromCodePoint(BRAILLE + cell[0]! + cell[1]!);
  }
  return row;
}

function asciiRow(heights: readonly number[], fromBottom: number): string {
  const cells = [' ', '.', '#'];
  return heights.map((height) => cells[Math.min(2, Math.max(0, height - 2 * fromBottom))]).join('');
}

/** The least of 1, 2 and 5 times a power of ten that is not below a value. */
export function roundTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power;
}
