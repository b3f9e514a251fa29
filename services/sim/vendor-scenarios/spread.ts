import type { Range } from '../../core/hardware/figure.ts';
import type { LatencyParts, Measure, MeasureUnit, Outcome } from './vendor-scenario.ts';

/** A measure, from the worst to the best of what the chip's figures allow. */
export interface SpreadMeasure {
  readonly id: string;
  readonly name: string;
  readonly unit: MeasureUnit;
  /** Null where nothing keeps the goals. */
  readonly range: Range | null;
}

/** An outcome over both ends of what a chip's figures allow. */
export interface SpreadOutcome {
  readonly measures: readonly SpreadMeasure[];
  /** In the middle. */
  readonly parts: LatencyParts;
}

/** Puts the outcomes of one chip together, the middle first. */
export function spreadOf(outcomes: readonly Outcome[]): SpreadOutcome {
  const [middle] = outcomes;
  const measures = middle!.measures.map(({ id, name, unit }, index) => ({
    id,
    name,
    unit,
    range: spanOf(outcomes.map(({ measures }) => measures[index]!)),
  }));
  return { measures, parts: middle!.parts };
}

function spanOf(measures: readonly Measure[]): Range | null {
  const ranges = measures.flatMap(({ value }) =>
    value === null ? [] : typeof value === 'number' ? { low: value, high: value } : value,
  );
  if (ranges.length === 0) return null;
  return {
    low: Math.min(...ranges.map(({ low }) => low)),
    high: Math.max(...ranges.map(({ high }) => high)),
  };
}
