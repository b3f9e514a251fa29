import { Command } from 'commander';
import {
  type CoordinatorProcessOptions,
  runCoordinator,
} from '../runtime/coordinator/run-coordinator.ts';
import { addDrawnWorkloadOptions } from '../runtime/options/drawn-workload-options.ts';
import { addNodeOptions } from '../runtime/options/node-options.ts';
import { addServingOptions } from '../runtime/options/serving-options.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';

exitWithParent();
const command = addServingOptions(addNodeOptions(new Command('sohu-coordinator'))).description(
  'The head of a tensor-parallel group: batches requests, commands the chips, serves clients.',
);
addDrawnWorkloadOptions(command).option('--offer-load', 'offer itself the load of these options');
await runCoordinator(command.parse().opts<CoordinatorProcessOptions>());
