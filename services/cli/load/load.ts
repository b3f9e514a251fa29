import type { Command } from 'commander';
import type { RunningCluster } from '../../runtime/cluster/launch.ts';
import {
  addDrawnWorkloadOptions,
  type DrawnWorkloadOptions,
} from '../../runtime/options/drawn-workload-options.ts';
import { simulateScenario } from '../../sim/capacity/scenario.ts';
import { addClusterOptions, type ClusterOptions } from '../serve/cluster-options.ts';
import { startCluster } from '../serve/start-cluster.ts';
import { EXIT_CODES_HELP } from '../terminal/errors.ts';
import { Progress } from '../terminal/progress.ts';
import { listenForStop, untilStopped } from '../terminal/stop-requests.ts';
import { loadScenario } from './load-scenario.ts';
import { loadObject, loadText } from './load-text.ts';

interface LoadCommandOptions extends ClusterOptions, DrawnWorkloadOptions {
  readonly json?: true;
}

const EXAMPLES = `Examples:
  sohu load --chip sohu --request-rate 230 --isl 2048 --osl 128 --num-prompts 6900
  sohu load --chip h100 --request-rate 8 --num-prompts 200 --speed 0
`;
const NOTES = `
The requests arrive in device time, and are drawn as those of \`sohu sim\`. The chips are
phantoms; where no model is named, it is llama-3-70b, and the queue has no bound.`;
const DEFAULTS = { model: 'llama-3-70b', maxNumQueuedReqs: 0xffffffff } as const;

/** Adds `sohu load`, which offers a load to a phantom cluster and simulates the same. */
export function addLoadCommand(program: Command): void {
  addDrawnWorkloadOptions(addClusterOptions(program.command('load')))
    .description('Offer a load to a phantom cluster, and simulate the same beside it.')
    .option('--json', 'print one JSON object')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', `${NOTES}\n${EXIT_CODES_HELP}`)
    .action((options: LoadCommandOptions, command: Command) => {
      const isOpen = (name: keyof typeof DEFAULTS): boolean =>
        command.getOptionValueSource(name) === 'default';
      const open = Object.entries(DEFAULTS).filter(([name]) =>
        isOpen(name as keyof typeof DEFAULTS),
      );
      return load({ ...options, ...Object.fromEntries(open), weights: 'phantom' });
    });
}

async function load(options: LoadCommandOptions): Promise<void> {
  const signal = listenForStop();
  const progress = new Progress();
  const cluster = await startCluster({ options, offer: options, signal, progress });
  try {
    progress.note('Offering the load.');
    process.stdout.write(`${await serve(cluster, options, signal)}\n`);
  } finally {
    await cluster.stop();
  }
}

async function serve(
  cluster: RunningCluster,
  options: LoadCommandOptions,
  signal: AbortSignal,
): Promise<string> {
  const broken = cluster.failed.then((error) => Promise.reject(error));
  const report = await Promise.race([cluster.loadReport, untilStopped(signal), broken]);
  const scenario = loadScenario(cluster.serving, options);
  const simulated = simulateScenario(scenario, 'middle');
  const served = { placed: scenario.placed, report, simulated };
  return options.json ? JSON.stringify(loadObject(served)) : loadText(served);
}
