import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { Layout } from '../../core/timing/layout.ts';
import { planLayouts } from '../../core/timing/layout-search.ts';
import type { CapacityReport } from '../../sim/capacity/capacity-report.ts';
import { RateSearch } from '../../sim/capacity/rate-search.ts';
import { saturatedRate } from '../../sim/capacity/saturated-rate.ts';
import { type CapacityScenario, kvBlocksOf } from '../../sim/capacity/scenario.ts';
import { meetsLevel, type ServiceLevel } from '../../sim/capacity/service-level.ts';
import { Progress } from '../terminal/progress.ts';
import type { SimOptions } from './sim-options.ts';
import type { FoundRate, SearchOutcome } from './sim-search-report.ts';
import type { Probe, runProbe } from './sim-worker.ts';

/** Searches for the highest rate on every layout, on all threads. */
export async function searchCapacity(
  scenario: CapacityScenario,
  options: SimOptions,
): Promise<SearchOutcome> {
  const level = levelOf(options);
  if (options.chips === undefined) kvBlocksOf(scenario); // says why where it does not fit
  const layouts = layoutsOf(scenario, options.chips);
  const pool = new Piscina<Probe, ReturnType<typeof runProbe>>({
    filename: fileURLToPath(new URL('./sim-worker.js', import.meta.url)),
    name: 'runProbe',
    maxThreads: options.threads,
    workerData: scenario,
  });
  const progress = new Progress();
  let done = 0;
  try {
    const found = await Promise.all(
      layouts.map(async (layout) => {
        const rate = await searchRate(
          { ...scenario, placed: { ...scenario.placed, layout } },
          level,
          pool,
        );
        progress.advance('Searching layouts', ++done / layouts.length);
        return rate;
      }),
    );
    const ranked = found.sort((a, b) => b.requestRate - a.requestRate);
    return { found: ranked, placed: scenario.placed, level };
  } finally {
    progress.closeLine();
    await pool.destroy();
  }
}

function levelOf({ slo, sloPercentile }: SimOptions): ServiceLevel {
  if (Object.keys(slo).length > 0) return { goals: slo, percentile: sloPercentile };
  throw new InvalidArgumentError(
    'slo must name a goal for --search, such as --slo ttft:500 tpot:50',
  );
}

function layoutsOf({ placed }: CapacityScenario, chips: number | undefined): readonly Layout[] {
  if (chips === undefined) return [placed.layout];
  const layouts = planLayouts(placed, chips).map(({ layout }) => layout);
  if (layouts.length > 0) return layouts;
  throw new InvalidArgumentError(
    `chips must be a number that ${placed.architecture.name} fits, not ${chips}; sohu plan --model ${placed.architecture.name} --chip ${placed.chip.name} says how many it needs`,
  );
}

async function searchRate(
  scenario: CapacityScenario,
  level: ServiceLevel,
  pool: Piscina<Probe, CapacityReport>,
): Promise<FoundRate> {
  const { layout } = scenario.placed;
  let best: CapacityReport | undefined;
  const guess = saturatedRate(scenario);
  if (guess === undefined) return { layout, requestRate: 0, report: best };
  const search = new RateSearch(guess);
  for (let rates = search.next(); rates.length > 0; rates = search.next()) {
    const probes = rates.map((requestRate) => pool.run({ layout, requestRate }));
    const reports = await Promise.all(probes);
    const held = reports.map((report) => meetsLevel(report, level));
    search.take(rates, held);
    best = reports[rates.indexOf(search.highest)] ?? best;
  }
  return { layout, requestRate: search.highest, report: best };
}
