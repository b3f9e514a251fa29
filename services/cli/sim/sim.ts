import type { Command } from 'commander';
import { hasUncertainRates, makePricer } from '../../core/timing/load-price.ts';
import { LoadHistory } from '../../sim/capacity/load-history.ts';
import {
  type CapacityScenario,
  kvBlocksOf,
  simulateScenario,
} from '../../sim/capacity/scenario.ts';
import { writeHtml } from '../terminal/html-output.ts';
import { SimTrace } from '../trace/sim-trace.ts';
import { addSimOptions, type SimOptions, scenarioOf } from './sim-options.ts';
import { pageOfRun } from './sim-page.ts';
import { reportObject, reportText } from './sim-report.ts';
import { searchCapacity } from './sim-search.ts';
import { pageOfSearch, searchObject, searchText } from './sim-search-report.ts';

const EXAMPLES = `Examples:
  sohu sim --chip H100 --request-rate 8 --isl 2048 --osl 128
  sohu sim --chip H100 --trace-file azure-2023-conversation.csv --goodput ttft:500 tpot:50
  sohu sim --chip H100 --max-concurrency 64 --num-prompts 500 --trace-out steps.json
  sohu sim --chip H200 --chips 16 --search --slo ttft:500 tpot:50
`;
const NOTES = `
All times are device time: what the modelled chips would take, in virtual time. TPOT is
(E2EL − TTFT) / (tokens − 1), ITL each gap between two tokens; requests to several replicas
go to the one with the fewest, or in turn (--routing-policy).`;

/** Adds `sohu sim`, which serves a workload on modelled chips in virtual time. */
export function addSimCommand(program: Command): void {
  addSimOptions(
    program
      .command('sim')
      .description('Serve a workload on modelled chips in virtual time, and say what it comes to.')
      .addHelpText('before', EXAMPLES)
      .addHelpText('after', NOTES),
  ).action(sim);
}

async function sim(options: SimOptions, command: Command): Promise<void> {
  const given = (name: keyof SimOptions): boolean => command.getOptionValueSource(name) === 'cli';
  const scenario = scenarioOf(options, given);
  if (options.search) await search(scenario, options);
  else simulate(scenario, options);
}

async function search(scenario: CapacityScenario, options: SimOptions): Promise<void> {
  const outcome = await searchCapacity(scenario, options);
  const text = options.json ? JSON.stringify(searchObject(outcome)) : searchText(outcome);
  process.stdout.write(`${text}\n`);
  writeHtml(options, () => pageOfSearch(outcome));
}

/** The run at the middle of what the chip's figures allow, and at both ends where they are ranges. */
function simulate(scenario: CapacityScenario, options: SimOptions): void {
  const { trace, history } = observersOf(scenario, options);
  const observers = [trace, history].filter((observer) => observer !== undefined);
  const report = simulateScenario(
    scenario,
    'middle',
    observers.length === 0
      ? undefined
      : (step) => {
          for (const observer of observers) observer.add(step);
        },
  );
  trace?.close();
  const ends = hasUncertainRates(scenario.placed.chip)
    ? (['low', 'high'] as const).map((end) => simulateScenario(scenario, end))
    : [report];
  const run = { scenario, report, ends };
  const text = options.json ? JSON.stringify(reportObject(run, options)) : reportText(run, options);
  process.stdout.write(`${text}\n`);
  writeHtml(options, () => pageOfRun(run, history!.points(), options));
}

/** Who follows the steps: the trace and the report, where asked for. */
function observersOf(scenario: CapacityScenario, { traceOut, traceSteps, html }: SimOptions) {
  const { placed } = scenario;
  const pricer = makePricer(placed, 'middle');
  return {
    trace:
      traceOut === undefined ? undefined : new SimTrace(traceOut, { pricer, steps: traceSteps }),
    history:
      html === undefined
        ? undefined
        : new LoadHistory({ replicas: placed.layout.dp, kvBlocks: kvBlocksOf(scenario) }),
  };
}
