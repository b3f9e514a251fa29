import { Command } from 'commander';
import { runCoordinator } from '../runtime/coordinator/run-coordinator.ts';
import {
  addCoordinatorOptions,
  type CoordinatorProcessOptions,
} from '../runtime/options/coordinator-options.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';

exitWithParent();
const command = addCoordinatorOptions(new Command('sohu-coordinator')).description(
  'The head of a tensor-parallel group: batches requests, commands the chips, serves clients.',
);
await runCoordinator(command.parse().opts<CoordinatorProcessOptions>());
