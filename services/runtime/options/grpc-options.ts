import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions } from './node-options.ts';
import { portNumber } from './option-values.ts';

/** The options of the gRPC server's own process. */
export interface GrpcProcessOptions extends ConnectionOptions {
  readonly host: string;
  readonly port: number;
}

/** Adds the options to a command, with their defaults. */
export function addGrpcOptions(command: Command): Command {
  return addConnectionOptions(command)
    .option('--host <address>', 'where gRPC is served', '127.0.0.1')
    .option('--port <number>', 'port of gRPC (0: a free one)', portNumber, 50051);
}
