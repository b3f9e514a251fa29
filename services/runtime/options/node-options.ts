import type { Command } from 'commander';
import type { NatsOptions } from '../../bus/nats-bus.ts';
import { wholeNumber } from './option-values.ts';

/** How a process reaches its cluster. */
export interface ConnectionOptions {
  readonly nats: string;
  /** The file with its nkey seed; undefined connects without one. */
  readonly natsNkeyFile: string | undefined;
  readonly cluster: string;
}

/** Where a process of a group finds the others, and where it shows its metrics. */
export interface NodeOptions extends ConnectionOptions {
  readonly group: string;
  readonly metricsHost: string;
  readonly metricsPort: number;
}

/** The part of `connectNats`'s options that a process is given. */
export function connectionOf({
  nats,
  natsNkeyFile,
}: ConnectionOptions): Pick<NatsOptions, 'servers' | 'nkeyFile'> {
  return { servers: nats, nkeyFile: natsNkeyFile };
}

/** Adds the options that every process of a cluster takes. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--nats <urls>', 'the broker, or several of one cluster', 'nats://127.0.0.1:4222')
    .option('--nats-nkey-file <file>', 'seed of the nkey that the broker knows')
    .option('--cluster <name>', 'name of the cluster', 'sohu');
}

/** Adds the options that every process of a group takes. */
export function addNodeOptions(command: Command): Command {
  return addConnectionOptions(command)
    .option('--group <name>', 'name of the tensor-parallel group', '0')
    .option('--metrics-host <address>', 'where metrics are served', '127.0.0.1')
    .option('--metrics-port <port>', 'port of the metrics (0: a free one)', wholeNumber(0), 0);
}
