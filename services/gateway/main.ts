import type { GatewayProcessOptions } from '../runtime/options/gateway-process-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { runGateway } from './run-gateway.ts';

exitWithParent();
await runGateway(parseProgram<GatewayProcessOptions>('gateway'));
