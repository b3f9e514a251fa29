import type { Command } from 'commander';
import { addGatewayOptions, type GatewayOptions } from './gateway-options.ts';
import { addConnectionOptions, type ConnectionOptions } from './node-options.ts';
import { choice } from './option-values.ts';
import { WEIGHTS, type Weights } from './phantom-options.ts';
import { addShutdownOptions, type ShutdownOptions } from './shutdown-options.ts';

/** The options of a gateway's own process: those of the gateway, and where its cluster is. */
export interface GatewayProcessOptions extends GatewayOptions, ConnectionOptions, ShutdownOptions {
  readonly model: string;
  readonly tokenizer: string | undefined;
  readonly weights: Weights;
}

/** Adds the options to a command, with their defaults. */
export function addGatewayProcessOptions(command: Command): Command {
  return addShutdownOptions(addConnectionOptions(addGatewayOptions(command)))
    .option('--model <name-or-path>', 'bundled name, directory or file', 'tinystories-5m')
    .option('--tokenizer <file>', 'tokenizer.json or llama2.c .bin (default: beside the model)')
    .addOption(choice('--weights <kind>', 'what the chips hold', WEIGHTS, 'checkpoint'));
}
