import type { Precision } from '../../core/model/precision.ts';
import {
  CAPACITY_SCHEDULER_POLICIES,
  SCHEDULING_POLICIES,
  type SchedulerOptions,
} from '../../core/scheduler/options.ts';
import { Random } from '../random.ts';
import { drawFaults } from './draw-faults.ts';
import type { Fault } from './faults.ts';
import type { NetworkDelays } from './faulty-network.ts';
import { CATALOGUE_SIZE } from './request-catalogue.ts';

/** Whether faults go on to the end, or stop so that everything must finish. */
export const WORLD_MODES = ['safety', 'liveness'] as const;
export type WorldMode = (typeof WORLD_MODES)[number];

/** A request on its way to the coordinator. */
export interface ScenarioRequest {
  readonly atMicros: number;
  /** Which one of the catalogue. */
  readonly index: number;
  /** Undefined where its client waits for the end. */
  readonly cancelAtMicros: number | undefined;
}

/** Everything that a seed decides about a world; times in microseconds. */
export interface Scenario {
  readonly seed: number;
  readonly mode: WorldMode;
  readonly isExact: boolean;
  readonly isEncoded: boolean;
  readonly precision: Precision;
  readonly tensorParallel: number;
  readonly spares: number;
  readonly isPidShared: boolean;
  readonly scheduler: Pick<
    SchedulerOptions,
    | 'maxNumSeqs'
    | 'maxNumBatchedTokens'
    | 'longPrefillTokenThreshold'
    | 'schedulingPolicy'
    | 'capacitySchedulerPolicy'
    | 'watermark'
    | 'enablePrefixCaching'
    | 'maxNumQueuedReqs'
  >;
  readonly kvBlocks: number;
  readonly stepTimeoutMicros: number;
  readonly patienceMicros: number;
  readonly meanFlushMicros: number;
  readonly meanComputeMicros: number;
  readonly meanLoadMicros: number;
  readonly delays: NetworkDelays;
  readonly requests: readonly ScenarioRequest[];
  readonly faults: readonly Fault[];
  /** When faults end; a world in safety mode ends then too. */
  readonly horizonMicros: number;
}

const HORIZON_MICROS = 2_000_000;

/** Draws the whole of a world from a seed. */
export function drawScenario(seed: number, mode: WorldMode): Scenario {
  const random = new Random(seed);
  const isExact = random.chance(0.5);
  const tensorParallel = random.pick([1, 2, 2, 4, 4, 8]);
  const spares = random.pick([0, 0, 1]);
  const options = {
    isExact,
    isEncoded: random.chance(0.4),
    precision: isExact && random.chance(0.3) ? ('fp8' as const) : ('f32' as const),
    tensorParallel,
    spares,
    scheduler: drawScheduler(random),
    kvBlocks: random.pick([7, 10, 16, 24]),
    patienceMicros: random.pick([1_000_000, 2_500_000]),
    meanFlushMicros: random.pick([100, 5_000, 60_000]),
    ...drawPace(random),
    meanLoadMicros: random.pick([1_000, 100_000]),
    delays: random.pick([
      { minMicros: 20, meanMicros: 30 },
      { minMicros: 100, meanMicros: 800 },
    ]),
  };
  const requests = drawRequests(random);
  const faults = drawFaults(random, {
    seats: tensorParallel + spares,
    spares,
    horizonMicros: HORIZON_MICROS,
  });
  const isPidShared = random.chance(0.3);
  return { seed, mode, ...options, isPidShared, requests, faults, horizonMicros: HORIZON_MICROS };
}

/** The longer segments take, the longer a step may. */
function drawPace(random: Random): Pick<Scenario, 'meanComputeMicros' | 'stepTimeoutMicros'> {
  const meanComputeMicros = random.pick([500, 2_000, 5_000]);
  return { meanComputeMicros, stepTimeoutMicros: meanComputeMicros * random.pick([150, 400]) };
}

function drawScheduler(random: Random): Scenario['scheduler'] {
  return {
    maxNumSeqs: random.integer(1, 8),
    maxNumBatchedTokens: random.pick([8, 16, 32]),
    longPrefillTokenThreshold: random.pick([0, 0, 3]),
    schedulingPolicy: random.pick(SCHEDULING_POLICIES),
    capacitySchedulerPolicy: random.pick(CAPACITY_SCHEDULER_POLICIES),
    watermark: random.pick([0, 0.1]),
    enablePrefixCaching: random.chance(0.7),
    maxNumQueuedReqs: random.pick([4, 16]),
  };
}

function drawRequests(random: Random): ScenarioRequest[] {
  const count = random.integer(3, 9);
  const indices = new Set<number>();
  while (indices.size < count) indices.add(random.integer(0, CATALOGUE_SIZE - 1));
  const latest = random.pick([50_000, HORIZON_MICROS]);
  return [...indices].map((index) => {
    const atMicros = random.integer(0, latest);
    const isCancelled = random.chance(0.15);
    const cancelAtMicros = isCancelled ? atMicros + random.around(200_000) : undefined;
    return { atMicros, index, cancelAtMicros };
  });
}

/** One line on each choice that a seed has made, for people. */
export function describeScenario(scenario: Scenario): string[] {
  const { faults: _, requests, scheduler, delays, ...options } = scenario;
  const list = { ...options, ...scheduler, ...delays };
  return [
    Object.entries(list)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    `requests: ${requests
      .map(({ atMicros, index, cancelAtMicros }) => {
        const end = cancelAtMicros === undefined ? '' : ` cancelled at ${cancelAtMicros / 1000} ms`;
        return `${index} at ${atMicros / 1000} ms${end}`;
      })
      .join(', ')}`,
  ];
}
