/** Where a number comes from, from the most to the least to be relied upon. */
export type FigureOrigin = 'published' | 'measured' | 'derived' | 'assumed';

/** Both ends of what an undisclosed or disputed number may be. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** One number of a data sheet. */
export interface Figure {
  readonly value: number | Range;
  readonly unit: 'bytes' | 'bytes/s' | 'FLOP/s' | 'W' | 'USD' | 's' | 'mm²' | 'transistors';
  readonly origin: FigureOrigin;
  readonly source: string;
  /** The number is deduced from the very claim that it would be used to check. */
  readonly byConstruction?: true;
}

/** Which end of a range to reckon with. */
export type RangeEnd = 'low' | 'middle' | 'high';

/** Both ends of a figure; equal where the number is known. */
export function rangeOf({ value }: Figure): Range {
  return typeof value === 'number' ? { low: value, high: value } : value;
}

/** One number for a figure: an end of its range, or the middle between the two. */
export function valueAt(figure: Figure, end: RangeEnd): number {
  const { low, high } = rangeOf(figure);
  return end === 'middle' ? (low + high) / 2 : { low, high }[end];
}

/** Whether the figure is a range. */
export function isUncertain({ value }: Figure): boolean {
  return typeof value !== 'number';
}
