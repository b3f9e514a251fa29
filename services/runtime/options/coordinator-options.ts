import type { Command } from 'commander';
import { addDrawnWorkloadOptions, type DrawnWorkloadOptions } from './drawn-workload-options.ts';
import { addNodeOptions, type NodeOptions } from './node-options.ts';
import { httpUrls } from './option-values.ts';
import { addServingOptions, type ServingOptions } from './serving-options.ts';
import { addShutdownOptions, type ShutdownOptions } from './shutdown-options.ts';

/** The options of a coordinator's process. */
export interface CoordinatorProcessOptions
  extends NodeOptions,
    ServingOptions,
    DrawnWorkloadOptions,
    ShutdownOptions {
  /** Whether it offers itself the load that the workload options describe. */
  readonly offerLoad?: true;
  /** Base URLs of the brokers' monitoring pages; none by default. */
  readonly natsMonitoring: readonly string[];
}

/** Adds the options to a command, with their defaults. */
export function addCoordinatorOptions(command: Command): Command {
  addShutdownOptions(addServingOptions(addNodeOptions(command))).option(
    '--nats-monitoring <urls>',
    'monitoring pages of the broker, or of several, whose figures are to be among the metrics',
    httpUrls,
    [],
  );
  return addDrawnWorkloadOptions(command).option(
    '--offer-load',
    'offer itself the load of these options',
  );
}
