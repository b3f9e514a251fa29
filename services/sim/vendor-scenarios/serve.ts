import type { Range } from '../../core/hardware/figure.ts';
import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import type { PlacedModel } from '../../core/timing/load-price.ts';
import type { StepPrice } from '../../core/timing/step-price.ts';
import type { CapacityReport } from '../capacity/capacity-report.ts';
import { RateSearch } from '../capacity/rate-search.ts';
import { saturatedRate } from '../capacity/saturated-rate.ts';
import { type CapacityScenario, simulateScenario } from '../capacity/scenario.ts';
import { meetsGoals, type ServiceLevel } from '../capacity/service-level.ts';
import type { Workload } from '../capacity/workload.ts';
import type { LatencyParts, Target } from './vendor-scenario.ts';

const NO_BOUND = 0xffffffff;
const BLOCK_TOKENS = 16;
const MILLION = 1e6;

/** What was served, and where the time of all steps went. */
export interface Served {
  readonly report: CapacityReport;
  readonly parts: LatencyParts;
}

/** Serves one request after the other. */
export function serveAlone(
  target: Target,
  workload: Workload,
  options: { readonly isCached: boolean } = { isCached: true },
): Served {
  const scenario = settingOf(target, workload);
  const scheduler = { ...scenario.scheduler, enablePrefixCaching: options.isCached };
  const parts = new PartsSum();
  const report = simulateScenario(
    { ...scenario, scheduler, maxConcurrency: 1 },
    target.end,
    ({ price }) => parts.add(price),
  );
  return { report, parts: parts.total };
}

/** Serves a workload as it comes. */
export function serve(target: Target, workload: Workload): CapacityReport {
  return simulateScenario(settingOf(target, workload), target.end);
}

/** The highest rate that keeps a promise, and the run at it; undefined where none does. */
export function serveAtHighestRate(
  target: Target,
  workload: Workload,
  level: ServiceLevel,
): { readonly rate: number; readonly report: CapacityReport } | undefined {
  const scenario = settingOf(target, workload);
  const guess = saturatedRate(scenario);
  if (guess === undefined) return undefined;
  const search = new RateSearch(guess);
  let best: CapacityReport | undefined;
  for (let rates = search.next(); rates.length > 0; rates = search.next()) {
    const reports = rates.map((requestRate) =>
      simulateScenario({ ...scenario, workload: { ...workload, requestRate } }, target.end),
    );
    search.take(
      rates,
      reports.map((report) => meetsGoals(report, level)),
    );
    best = reports[rates.indexOf(search.highest)] ?? best;
  }
  return best === undefined ? undefined : { rate: search.highest, report: best };
}

/** What one of so many uses costs, of a run in which the chips were there for them alone. */
export function dollarsOfEach({ cost, ...report }: CapacityReport, uses: number): Range | null {
  if (cost === undefined) return null;
  const millions = (report.inputTokens + report.outputTokens) / uses / MILLION;
  return { low: cost.dollars.low * millions, high: cost.dollars.high * millions };
}

/** Both ends, times a factor. */
export function scaled(range: Range | null, factor: number): Range | null {
  return range === null ? null : { low: factor * range.low, high: factor * range.high };
}

/** The parts, divided among so many uses, with what each spends elsewhere. */
export function partsOfEach(parts: LatencyParts, uses: number, elsewhereSeconds = 0): LatencyParts {
  return {
    compute: parts.compute / uses,
    memory: parts.memory / uses,
    collectives: parts.collectives / uses,
    overhead: parts.overhead / uses,
    elsewhere: elsewhereSeconds,
  };
}

function settingOf({ placed }: Target, workload: Workload): CapacityScenario {
  return {
    placed,
    scheduler: schedulerOf(placed),
    numGpuBlocksOverride: undefined,
    workload,
    maxConcurrency: Number.POSITIVE_INFINITY,
    routing: 'least_loaded',
    goals: {},
  };
}

/** As `sohu sim` chooses where nothing is said. */
function schedulerOf(placed: PlacedModel): Omit<SchedulerOptions, 'kvBlocks'> {
  const { maxNumSeqs, maxNumBatchedTokens, software, architecture } = placed;
  return {
    maxNumSeqs,
    maxNumBatchedTokens,
    longPrefillTokenThreshold: 0,
    schedulingPolicy: 'fcfs',
    capacitySchedulerPolicy:
      software.kvReservation === 'whole' ? 'guaranteed_no_evict' : 'max_utilization',
    watermark: 0,
    enablePrefixCaching: true,
    maxNumQueuedReqs: NO_BOUND,
    maxNumQueuedTokens: undefined,
    maxModelLen: architecture.maxPositions,
    blockSize: BLOCK_TOKENS,
    stopTokenIds: [],
  };
}

class PartsSum {
  #compute = 0;
  #memory = 0;
  #collectives = 0;
  #overhead = 0;

  add({ breakdown }: StepPrice): void {
    this.#compute += breakdown.computeSeconds;
    this.#memory += breakdown.memorySeconds;
    this.#collectives += breakdown.collectiveSeconds;
    this.#overhead += breakdown.overheadSeconds;
  }

  get total(): LatencyParts {
    return {
      compute: this.#compute,
      memory: this.#memory,
      collectives: this.#collectives,
      overhead: this.#overhead,
      elsewhere: 0,
    };
  }
}
