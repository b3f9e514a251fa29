import { Command } from 'commander';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { addGatewayProcessOptions, type GatewayProcessOptions } from './gateway-process-options.ts';
import { runGateway } from './run-gateway.ts';

exitWithParent();
const command = addGatewayProcessOptions(new Command('sohu-gateway')).description(
  'The HTTP front of a cluster, as OpenAI’s clients know it.',
);
await runGateway(command.parse().opts<GatewayProcessOptions>());
