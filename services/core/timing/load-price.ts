import type { Architecture } from '../architecture/architecture.ts';
import type { Chip } from '../hardware/chip.ts';
import type { Figure, RangeEnd } from '../hardware/figure.ts';
import { isUncertain } from '../hardware/figure.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import { ratesOf } from './chip-rates.ts';
import type { Layout } from './layout.ts';
import { chipCount } from './layout.ts';
import { type MemoryPlan, planMemory } from './memory-plan.ts';
import type { PricedPrecision } from './precision.ts';
import { softwareParametersOf } from './software-parameters.ts';
import type { SoftwareVersion } from './software-version.ts';
import { type SteadyState, steadyState } from './steady-state.ts';
import type { OperatorPrice } from './step-price.ts';
import { StepPricer } from './step-pricer.ts';
import { costPerMillionTokens, type TokenCost, wattsOf } from './token-cost.ts';

/** A model on a chip, a layout and a version of the software. */
export interface PlacedModel {
  readonly architecture: Architecture;
  readonly chip: Chip;
  readonly layout: Layout;
  readonly precision: PricedPrecision;
  readonly software: SoftwareVersion;
  readonly maxNumBatchedTokens: number;
  readonly maxNumSeqs: number;
}

/** A load of equal requests on it. */
export interface PricedLoad extends PlacedModel {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Requests that clients keep open, at all replicas together; infinite where more always wait. */
  readonly concurrency: number;
}

/** What the load comes to in device time; rates are of all replicas. */
export interface LoadPrice {
  readonly plan: MemoryPlan;
  /** One replica. */
  readonly state: SteadyState;
  readonly outputTokensPerSecond: number;
  readonly totalTokensPerSecond: number;
  /** Of the kind of step that takes more of the time, with or without a part of a prompt. */
  readonly operators: readonly OperatorPrice[];
  readonly cost: TokenCost;
}

/** Prices a load with the worst, the middle or the best of what the chip's figures allow. */
export function priceLoad(load: PricedLoad, end: RangeEnd): LoadPrice {
  const pricer = makePricer(load, end);
  const plan = planLoad(load);
  checkFit(load, plan);
  const { dp } = load.layout;
  const state = steadyState(pricer, {
    ...load,
    concurrency: load.concurrency / dp,
    kvTokens: plan.kvTokens,
    kvReservation: load.software.kvReservation,
    arrivals: Number.isFinite(load.concurrency) ? 'spread' : 'together',
  });
  const totalTokensPerSecond = state.totalTokensPerSecond * dp;
  return {
    plan,
    state,
    outputTokensPerSecond: state.outputTokensPerSecond * dp,
    totalTokensPerSecond,
    operators: pricer.explain(state.shape),
    cost: costPerMillionTokens({
      chip: load.chip,
      chips: chipCount(load.layout),
      tokensPerSecond: totalTokensPerSecond,
      chipWatts: wattsOf(
        state.price.energyJoules,
        state.price.intervalSeconds * chipCount({ ...load.layout, dp: 1 }),
      ),
    }),
  };
}

/** The pricer of a load's steps. */
export function makePricer(load: PlacedModel, end: RangeEnd): StepPricer {
  const { kernels, version } = softwareParametersOf(load.software);
  return new StepPricer({ ...load, kernels, version, rates: ratesOf(load.chip, kernels, end) });
}

/** The memory of a load's chips. */
export function planLoad(placed: PlacedModel): MemoryPlan {
  const { memoryFraction, kvFraction } = placed.software;
  return planMemory({ ...placed, memoryFraction, kvFraction });
}

/** Figures of a chip that a price of steps rests on and that are not known. */
export function uncertainFigures(chip: Chip): readonly string[] {
  return namesOfUncertain({
    ...ratesFigures(chip),
    power: chip.powerWatts,
    price: chip.priceDollars,
  });
}

/** Whether what steps take is a range on a chip, because its rates are. */
export function hasUncertainRates(chip: Chip): boolean {
  return namesOfUncertain(ratesFigures(chip)).length > 0;
}

function ratesFigures(chip: Chip): Readonly<Record<string, Figure>> {
  return {
    'memory bandwidth': chip.memoryBytesPerSecond,
    'peak FLOP/s': chip.peakFlops.fp8 ?? chip.peakFlops.bf16!,
    'link rate': chip.links.bytesPerSecond,
  };
}

function namesOfUncertain(figures: Readonly<Record<string, Figure>>): readonly string[] {
  return Object.entries(figures)
    .filter(([, figure]) => isUncertain(figure))
    .map(([name]) => name);
}

/** Whether the chip's peak is deduced from a claim, so that throughput restates the claim. */
export function isByConstruction(chip: Chip): boolean {
  return Object.values(chip.peakFlops).some(({ byConstruction }) => byConstruction === true);
}

/** Refuses a model that does not fit, with the arithmetic. */
export function checkFit(placed: PlacedModel, plan: MemoryPlan): void {
  if (!plan.fits) throw new InvalidArgumentError(explainOverflow(placed, plan));
}

function explainOverflow({ architecture, chip, layout }: PlacedModel, plan: MemoryPlan): string {
  const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  const chips = chipCount(layout);
  const needed = Math.ceil((chips * (plan.weightBytes + plan.activationBytes)) / plan.memoryBytes);
  return (
    `${architecture.name} does not fit ${chips} ${chip.name} chip(s): each needs ${gb(plan.weightBytes)} of weights ` +
    `+ ${gb(plan.activationBytes)} of activations and has ${gb(plan.memoryBytes)}; the nearest is at least ${needed + 1} chips, by tp, pp or ep (sohu plan finds a layout)`
  );
}
