import { Command } from 'commander';
import { addCoordinatorOptions } from './coordinator-options.ts';
import { environmentName, withEnvironment } from './environment.ts';
import { addGatewayProcessOptions } from './gateway-process-options.ts';
import { addGrpcOptions } from './grpc-options.ts';
import { addWorkerOptions } from './worker-options.ts';

/** The processes of a cluster, by the names of their folders and of their sections in a file. */
export const PROGRAM_NAMES = ['worker', 'coordinator', 'gateway', 'grpc'] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];

const PROGRAMS: Readonly<Record<ProgramName, () => Command>> = {
  worker: () =>
    addWorkerOptions(new Command('sohu-worker')).description(
      'One simulated chip: holds a shard of the model and computes its part of every step.',
    ),
  coordinator: () =>
    addCoordinatorOptions(new Command('sohu-coordinator')).description(
      'The head of a tensor-parallel group: batches requests, commands the chips, serves clients.',
    ),
  gateway: () =>
    addGatewayProcessOptions(new Command('sohu-gateway')).description(
      'The HTTP front of a cluster, as OpenAI’s clients know it.',
    ),
  grpc: () => addGrpcOptions(new Command('sohu-grpc')).description('The gRPC front of a cluster.'),
};

/** The command line of a process: every option with its name, environment variable and default. */
export function makeProgram(name: ProgramName): Command {
  return addConfiguration(PROGRAMS[name]());
}

/** Lets a command's options come from variables and a file too. */
export function addConfiguration(command: Command): Command {
  return withEnvironment(
    command.option('--config <file>', 'JSON file with options; see `sohu config`'),
  );
}

/** The variables that any process takes options from. */
export const OPTION_VARIABLES: readonly string[] = [
  ...new Set(PROGRAM_NAMES.flatMap((name) => makeProgram(name).options.map(environmentName))),
];
