import type { Range, RangeEnd } from '../../core/hardware/figure.ts';
import type { PlacedModel } from '../../core/timing/load-price.ts';

/** A use that a chip's vendor speaks of: what is said of it, what is assumed, and what is worked out. */
export interface VendorScenario {
  readonly name: string;
  readonly title: string;
  /** What is said of today's systems, or of the chip. */
  readonly said: Said;
  /** Of the catalogue. */
  readonly model: string;
  readonly assumptions: readonly Assumption[];
  /** What remains to be known for the figures to be read rightly. */
  readonly caveats: readonly string[];
  /** Works everything out for one chip; the measures are the same ones in the same order for all. */
  readonly measure: (target: Target) => Outcome;
}

export interface Said {
  readonly text: string;
  readonly source: string;
  /** Where it is a number: in the unit of the first measure. */
  readonly value?: number;
}

/** A number that goes into a scenario. */
export interface Assumption {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** "assumed", or where it is from. */
  readonly source: string;
}

/** What a scenario is worked out for. */
export interface Target {
  readonly placed: PlacedModel;
  readonly end: RangeEnd;
  /** Of what is drawn. */
  readonly seed: number;
}

export interface Outcome {
  /** The first one is what the vendor speaks of. */
  readonly measures: readonly Measure[];
  /** Of one use, alone on the chips. */
  readonly parts: LatencyParts;
}

export interface Measure {
  /** Names it in JSON. */
  readonly id: string;
  readonly name: string;
  readonly unit: MeasureUnit;
  /** Null where nothing keeps the goals. */
  readonly value: number | Range | null;
}

export type MeasureUnit = 'ms' | 's' | 'min' | 'USD' | 'share' | 'count';

/** Where the time of one use goes, in seconds. */
export interface LatencyParts {
  readonly compute: number;
  readonly memory: number;
  readonly collectives: number;
  readonly overhead: number;
  /** Not on the chips: tools that run, for example. */
  readonly elsewhere: number;
}

/** The names of the parts, in the order in which they are shown. */
export const LATENCY_PARTS = ['compute', 'memory', 'collectives', 'overhead', 'elsewhere'] as const;

/** Said of nothing but this project's own choice. */
export const ASSUMED = 'assumed';
/** Where most of what is said stands. */
export const ANNOUNCEMENT = 'etched.com/announcing-etched, 25 June 2024';
