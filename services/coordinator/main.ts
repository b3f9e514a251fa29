import { Command } from 'commander';
import { runCoordinator } from '../runtime/coordinator/run-coordinator.ts';
import { addNodeOptions, type NodeOptions } from '../runtime/options/node-options.ts';
import { addServingOptions, type ServingOptions } from '../runtime/options/serving-options.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';

exitWithParent();
const command = addServingOptions(addNodeOptions(new Command('sohu-coordinator'))).description(
  'The head of a tensor-parallel group: batches requests, commands the chips, serves clients.',
);
await runCoordinator(command.parse().opts<NodeOptions & ServingOptions>());
