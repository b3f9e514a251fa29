import type { Command } from 'commander';
import { hasUncertainRates, makePricer } from '../core/timing/load-price.ts';
import { type CapacityScenario, simulateScenario } from '../sim/capacity/scenario.ts';
import { addSimOptions, type SimOptions, scenarioOf } from './sim-options.ts';
import { reportObject, reportText, type SimulatedRun } from './sim-report.ts';
import { searchCapacity } from './sim-search.ts';
import { SimTrace } from './trace/sim-trace.ts';

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
  const text = options.search
    ? await searchCapacity(scenario, options)
    : textOf(simulate(scenario, options), options);
  process.stdout.write(`${text}\n`);
}

/** The run at the middle of what the chip's figures allow, and at both ends where they are ranges. */
function simulate(scenario: CapacityScenario, options: SimOptions): SimulatedRun {
  const trace =
    options.traceOut === undefined
      ? undefined
      : new SimTrace(options.traceOut, {
          pricer: makePricer(scenario.placed, 'middle'),
          steps: options.traceSteps,
        });
  const report = simulateScenario(scenario, 'middle', trace && ((step) => trace.add(step)));
  trace?.close();
  const ends = hasUncertainRates(scenario.placed.chip)
    ? (['low', 'high'] as const).map((end) => simulateScenario(scenario, end))
    : [report];
  return { scenario, report, ends };
}

function textOf(run: SimulatedRun, options: SimOptions): string {
  return options.json ? JSON.stringify(reportObject(run, options)) : reportText(run, options);
}
