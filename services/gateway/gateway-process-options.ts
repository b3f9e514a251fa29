import type { Command } from 'commander';
import { addGatewayOptions, type GatewayOptions } from '../runtime/options/gateway-options.ts';
import { choice } from '../runtime/options/option-values.ts';
import { WEIGHTS, type Weights } from '../runtime/options/phantom-options.ts';

/** The options of a gateway's own process: those of the gateway, and where its cluster is. */
export interface GatewayProcessOptions extends GatewayOptions {
  readonly nats: string;
  readonly cluster: string;
  readonly model: string;
  readonly tokenizer: string | undefined;
  readonly weights: Weights;
}

/** Adds the options to a command, with their defaults. */
export function addGatewayProcessOptions(command: Command): Command {
  return addGatewayOptions(command)
    .option('--nats <url>', 'the broker', 'nats://127.0.0.1:4222')
    .option('--cluster <name>', 'name of the cluster', 'sohu')
    .option('--model <name-or-path>', 'bundled name, directory or file', 'tinystories-5m')
    .option('--tokenizer <file>', 'tokenizer.json or llama2.c .bin (default: beside the model)')
    .addOption(choice('--weights <kind>', 'what the chips hold', WEIGHTS, 'checkpoint'));
}
