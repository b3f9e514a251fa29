import type { Range } from '../hardware/figure.ts';

/** Where the time of a step goes; the parts add up to the step's seconds. */
export interface StepBreakdown {
  readonly computeSeconds: number;
  readonly memorySeconds: number;
  /** What compute does not hide. */
  readonly collectiveSeconds: number;
  readonly overheadSeconds: number;
}

/** The largest part. */
export type Bottleneck = 'compute' | 'memory' | 'collectives' | 'overhead';

/** What a step takes on the modelled chips: device time. */
export interface StepPrice {
  /** From the step's command to its last token, through all pipeline stages. */
  readonly seconds: number;
  /** From one step to the next, where every stage works on another batch; `seconds` without stages. */
  readonly intervalSeconds: number;
  readonly breakdown: StepBreakdown;
  /** The largest part, or the collectives where all work hides behind them. */
  readonly binds: Bottleneck;
  /** Collective time that overlaps with compute. */
  readonly hiddenCollectiveSeconds: number;
  /** On one chip of each stage, as are bytes. */
  readonly flops: number;
  readonly memoryBytes: number;
  readonly linkBytes: number;
  /** Of the dense peak of the weights' format, of memory bandwidth and of the links' rate. */
  readonly mfu: number;
  readonly hbmUtilization: number;
  readonly linkUtilization: number;
  /** Of all chips of the replica. */
  readonly energyJoules: Range;
}

/** One line of a step's account. */
export interface OperatorPrice extends StepBreakdown {
  readonly name: string;
  readonly seconds: number;
  readonly flops: number;
  readonly memoryBytes: number;
}

/** The largest part of a breakdown. */
export function bottleneckOf(breakdown: StepBreakdown): Bottleneck {
  const parts: readonly (readonly [Bottleneck, number])[] = [
    ['compute', breakdown.computeSeconds],
    ['memory', breakdown.memorySeconds],
    ['collectives', breakdown.collectiveSeconds],
    ['overhead', breakdown.overheadSeconds],
  ];
  return parts.reduce((best, part) => (part[1] > best[1] ? part : best))[0];
}
