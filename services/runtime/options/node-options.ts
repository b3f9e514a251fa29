import type { Command } from 'commander';
import { wholeNumber } from './option-values.ts';

/** Where a process of a cluster finds the others, and where it shows its metrics. */
export interface NodeOptions {
  readonly nats: string;
  readonly cluster: string;
  readonly group: string;
  readonly metricsHost: string;
  readonly metricsPort: number;
}

/** Adds the options that every process of a cluster takes. */
export function addNodeOptions(command: Command): Command {
  return command
    .option('--nats <url>', 'the broker', 'nats://127.0.0.1:4222')
    .option('--cluster <name>', 'name of the cluster', 'sohu')
    .option('--group <name>', 'name of the tensor-parallel group', '0')
    .option('--metrics-host <address>', 'where metrics are served', '127.0.0.1')
    .option('--metrics-port <port>', 'port of the metrics (0: a free one)', wholeNumber(0), 0);
}
