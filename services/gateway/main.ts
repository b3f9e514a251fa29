import { Command } from 'commander';
import { addGatewayOptions } from '../runtime/options/gateway-options.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { type GatewayProcessOptions, runGateway } from './run-gateway.ts';

exitWithParent();
const command = addGatewayOptions(new Command('sohu-gateway'))
  .description('The HTTP front of a cluster, as OpenAI’s clients know it.')
  .option('--nats <url>', 'the broker', 'nats://127.0.0.1:4222')
  .option('--cluster <name>', 'name of the cluster', 'sohu')
  .option('--model <name-or-path>', 'bundled name, directory or file', 'tinystories-5m')
  .option('--tokenizer <file>', 'tokenizer.json or llama2.c .bin (default: beside the model)');
await runGateway(command.parse().opts<GatewayProcessOptions>());
