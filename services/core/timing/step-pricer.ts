import { layerCount } from '../architecture/architecture.ts';
import { type Range, rangeOf } from '../hardware/figure.ts';
import { allReduceWaysOf } from './calibration-model.ts';
import { peakFlopsOf } from './chip-rates.ts';
import { type HostWork, makeHostWork } from './host-work.ts';
import { checkLayout, chipCount } from './layout.ts';
import { type Cost, clearCost, makeCost, type Operator, rowsOf } from './operator.ts';
import { makePowerLimit, type PowerLimit } from './power-limit.ts';
import { WIDE_BYTES } from './precision.ts';
import type { RecordedGraphs } from './recorded-graphs.ts';
import { graphsOf, makeStepOperators, type StepOptions } from './step-operators.ts';
import {
  bottleneckOf,
  type OperatorPrice,
  type StepBreakdown,
  type StepPrice,
} from './step-price.ts';
import type { StepShape } from './step-shape.ts';
import { LEAST_POWER_SHARE } from './token-cost.ts';

const MICROS = 1e-6;
/** A stage sends to its successor alone. */
const PAIR = 2;
/** What a recorded graph leaves of the gaps: about 1 µs for each of a layer's kernels (assumed). */
const REPLAYED_GAP_SHARE = 0.25;
/** Of the power that a step draws: what loads of measured chips were off by, a half more; and of others (assumed). */
const DRAW_ERROR = { measured: 0.05, other: 0.25 };

/**
 * Prices steps of one model on one layout of one chip under one version of the software. What does
 * not depend on the step is worked out once.
 */
export class StepPricer {
  readonly options: StepOptions;
  readonly #operators: readonly Operator[];
  readonly #host: HostWork;
  readonly #gapSeconds: number;
  readonly #graphs: RecordedGraphs;
  readonly #power: PowerLimit;
  /** Share of the layers on the fullest pipeline stage. */
  readonly #stageShare: number;
  readonly #cost: Cost = makeCost();

  constructor(options: StepOptions) {
    const { architecture, layout, version } = options;
    checkLayout(layout, architecture);
    const layers = layerCount(architecture);
    this.options = options;
    this.#operators = makeStepOperators(options);
    this.#host = makeHostWork(version, layers);
    this.#gapSeconds = layout.tp > 1 ? layers * version.gapMicros * MICROS : 0;
    this.#graphs = graphsOf(options);
    this.#power = makePowerLimit(options.rates, options.kernels.power);
    this.#stageShare = Math.ceil(layers / layout.pp) / layers;
  }

  /** Device seconds of a step through all stages: the part of `price` that a simulation needs. */
  seconds(shape: StepShape): number {
    const cost = this.#account(shape);
    return this.#chipSeconds(cost) + cost.hostSeconds;
  }

  /** The whole account of a step. */
  price(shape: StepShape): StepPrice {
    const seconds = this.seconds(shape);
    const cost = this.#cost;
    const exposed = this.#exposedCollectiveSeconds(cost);
    const breakdown: StepBreakdown = {
      computeSeconds: cost.computeSeconds,
      memorySeconds: cost.memorySeconds,
      collectiveSeconds: exposed,
      overheadSeconds: cost.overheadSeconds + cost.hostSeconds,
    };
    const hidden = cost.collectiveSeconds - exposed;
    const work = cost.computeSeconds + cost.memorySeconds;
    const stages = this.options.layout.pp;
    const interval = stages === 1 ? seconds : this.#intervalOf(seconds, cost.hostSeconds);
    return {
      seconds,
      intervalSeconds: interval,
      breakdown,
      binds: hidden >= work ? 'collectives' : bottleneckOf(breakdown),
      hiddenCollectiveSeconds: hidden,
      flops: cost.flops,
      memoryBytes: cost.memoryBytes,
      linkBytes: cost.linkBytes,
      ...this.#utilizations(cost, interval * stages),
      energyJoules: this.#energyOf(cost, interval * stages),
    };
  }

  /** The account by operator at the step's clock; collectives before any overlap. */
  explain(shape: StepShape): readonly OperatorPrice[] {
    const { clock, hostSeconds } = this.#account(shape);
    const lines = this.#operators.map((operator) => {
      const cost = makeCost();
      operator.addTo(cost, shape);
      cost.computeSeconds /= clock;
      return operatorPrice(operator.name, cost);
    });
    const host = makeCost();
    host.overheadSeconds = hostSeconds + this.#gapsOf(shape);
    return [...mergeByName(lines), operatorPrice('software', host)];
  }

  #account(shape: StepShape): Cost {
    const cost = this.#unlimited(shape);
    const isReplayed = this.#graphs.covers(shape);
    const atFullClock = this.#host.waitSeconds(shape, this.#chipSeconds(cost), isReplayed);
    cost.clock = this.#clockOf(cost, atFullClock);
    cost.computeSeconds /= cost.clock;
    cost.hostSeconds = this.#host.waitSeconds(shape, this.#chipSeconds(cost), isReplayed);
    return cost;
  }

  /** The chips' work at full clock. */
  #unlimited(shape: StepShape): Cost {
    const cost = this.#cost;
    clearCost(cost);
    for (const operator of this.#operators) operator.addTo(cost, shape);
    cost.overheadSeconds += this.#gapsOf(shape);
    if (this.options.layout.pp > 1) this.#addStageTransfers(cost, rowsOf(shape));
    this.#overlapOperators(cost);
    return cost;
  }

  #gapsOf(shape: StepShape): number {
    return this.#graphs.covers(shape) ? REPLAYED_GAP_SHARE * this.#gapSeconds : this.#gapSeconds;
  }

  #chipSeconds(cost: Cost): number {
    const { computeSeconds, memorySeconds, overheadSeconds } = cost;
    return computeSeconds + memorySeconds + overheadSeconds + this.#exposedCollectiveSeconds(cost);
  }

  /**
   * With full overlap a step takes the longer of all its compute and all its streaming; with less, a
   * part of the way from one operator after the other to that.
   */
  #overlapOperators(cost: Cost): void {
    const { operatorOverlap } = this.options.version;
    if (operatorOverlap === 0) return;
    const compute = cost.computeSeconds + cost.computeBesideSeconds;
    const memory = cost.memorySeconds + cost.memoryBesideSeconds;
    const apart = 1 - operatorOverlap;
    cost.computeSeconds *= apart;
    cost.memorySeconds *= apart;
    if (compute >= memory) cost.computeSeconds += operatorOverlap * compute;
    else cost.memorySeconds += operatorOverlap * memory;
  }

  /** The clock over the full one that the power limit allows. */
  #clockOf(cost: Cost, hostSeconds: number): number {
    const { computeSeconds, computeJoules, memoryBytes } = cost;
    const otherSeconds = this.#chipSeconds(cost) - computeSeconds + hostSeconds;
    return this.#power.clockOf({ computeSeconds, otherSeconds, computeJoules, memoryBytes });
  }

  /** Activations that go from stage to stage, each chip sending its part to its successor. */
  #addStageTransfers(cost: Cost, rows: number): void {
    const { architecture, layout, rates, kernels } = this.options;
    const { efficiency, latencyMicros } = allReduceWaysOf(kernels, PAIR).pipelined;
    const inServer = layout.tp * layout.pp <= rates.maxChipsPerServer;
    const rate = inServer ? rates.linkBytesPerSecond : rates.networkBytesPerSecond;
    const bytes = ((layout.pp - 1) * rows * architecture.hiddenSize * WIDE_BYTES) / layout.tp;
    cost.collectiveSeconds +=
      bytes / (rate * efficiency) + (layout.pp - 1) * latencyMicros * MICROS;
    cost.linkBytes += bytes;
  }

  /** Overlap hides a share of the collectives, but never more than there is work to hide it behind. */
  #exposedCollectiveSeconds({ collectiveSeconds, computeSeconds, memorySeconds }: Cost): number {
    const hidden = this.options.version.collectiveOverlap * collectiveSeconds;
    return collectiveSeconds - Math.min(hidden, computeSeconds + memorySeconds);
  }

  #intervalOf(seconds: number, hostSeconds: number): number {
    return (seconds - hostSeconds) * this.#stageShare + hostSeconds;
  }

  /** Of all stages together over the time that they were busy or waiting. */
  #utilizations({ flops, memoryBytes, linkBytes }: Cost, chipSeconds: number) {
    const { rates, precision } = this.options;
    const share = (amount: number, rate: number): number => amount / (rate * chipSeconds);
    return {
      mfu: share(flops, peakFlopsOf(rates, precision.weights)),
      hbmUtilization: share(memoryBytes, rates.peakMemoryBytesPerSecond),
      linkUtilization: share(linkBytes, rates.linkBytesPerSecond),
    };
  }

  /** Of the chips of a replica: as such work was measured to draw, or between shares of their rated power. */
  #energyOf(cost: Cost, chipSeconds: number): Range {
    const { rates, layout } = this.options;
    const chips = chipCount({ ...layout, dp: 1 }) / layout.pp;
    const drawn = this.#power.drawnJoules(cost, { clock: cost.clock, seconds: chipSeconds });
    if (drawn !== undefined) {
      const error = DRAW_ERROR[rates.chip.sustainedGemmFlops ? 'measured' : 'other'];
      return { low: drawn * chips * (1 - error), high: drawn * chips * (1 + error) };
    }
    const { low, high } = rangeOf(rates.chip.powerWatts);
    return {
      low: low * LEAST_POWER_SHARE * chips * chipSeconds,
      high: high * chips * chipSeconds,
    };
  }
}

function operatorPrice(name: string, cost: Cost): OperatorPrice {
  const { computeSeconds, memorySeconds, collectiveSeconds, overheadSeconds } = cost;
  return {
    name,
    seconds: computeSeconds + memorySeconds + collectiveSeconds + overheadSeconds,
    computeSeconds,
    memorySeconds,
    collectiveSeconds,
    overheadSeconds,
    flops: cost.flops,
    memoryBytes: cost.memoryBytes,
  };
}

/** One line for an operator that several groups of layers have. */
function mergeByName(lines: readonly OperatorPrice[]): readonly OperatorPrice[] {
  const merged = new Map<string, OperatorPrice>();
  for (const line of lines) {
    const before = merged.get(line.name);
    merged.set(line.name, before === undefined ? line : addPrices(before, line));
  }
  return [...merged.values()];
}

function addPrices(a: OperatorPrice, b: OperatorPrice): OperatorPrice {
  return {
    name: a.name,
    seconds: a.seconds + b.seconds,
    computeSeconds: a.computeSeconds + b.computeSeconds,
    memorySeconds: a.memorySeconds + b.memorySeconds,
    collectiveSeconds: a.collectiveSeconds + b.collectiveSeconds,
    overheadSeconds: a.overheadSeconds + b.overheadSeconds,
    flops: a.flops + b.flops,
    memoryBytes: a.memoryBytes + b.memoryBytes,
  };
}
