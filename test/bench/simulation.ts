/**
 * How fast virtual time passes: a production trace, or without one the same number of requests at
 * the same rate, on Llama-3-70B and 8 H100, on one core: `npm run bench:sim -- --trace-file <file>`.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { addSimOptions, type SimOptions, scenarioOf } from '../../services/cli/sim/sim-options.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { simulateScenario } from '../../services/sim/capacity/scenario.ts';
import { digits, median, printTable } from './table.ts';

const TRACE = resolve('..', 'shared', 'data', 'traces', 'azure-2023-conversation.csv');
/** Like the trace: 19,366 requests in 58 minutes. */
const LIKE_TRACE = [
  ...['--num-prompts', '19366', '--request-rate', '5.53', '--dataset', 'lognormal'],
  ...['--length-spread', '1', '--isl', '1155', '--osl', '211'],
];

const command = addSimOptions(new Command('bench:sim'))
  .option('--rounds <count>', 'times that it is simulated', wholeNumber(1), 5)
  .parse([
    ...process.argv.slice(0, 2),
    ...['--chip', 'H100', ...(existsSync(TRACE) ? ['--trace-file', TRACE] : LIKE_TRACE)],
    ...process.argv.slice(2),
  ]);
const options = command.opts<SimOptions & { readonly rounds: number }>();
const scenario = scenarioOf(options, (name) => command.getOptionValueSource(name) === 'cli');
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const rounds = Array.from({ length: options.rounds }, () => {
  const [startMs, startCpu] = [performance.now(), cpuSeconds()];
  const report = simulateScenario(scenario, 'middle');
  return { report, wall: (performance.now() - startMs) / 1000, cpu: cpuSeconds() - startCpu };
});
const { report } = rounds[0]!;
const wall = median(rounds.map((round) => round.wall));
printTable([
  {
    'simulated s': digits(report.seconds, 5),
    'wall s': digits(wall, 3),
    'CPU s': digits(median(rounds.map((round) => round.cpu)), 3),
    'simulated s per s': digits(report.seconds / wall, 4),
    'requests/s': digits(report.completed / wall, 4),
    'sequence-steps/s': digits(report.sequenceSteps / wall, 4),
    'peak MB': Math.round(process.resourceUsage().maxRSS / 1000),
  },
]);
