import type { GatewayProcessOptions } from '../runtime/options/gateway-process-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { runProgram } from '../runtime/process/run-program.ts';
import { runGateway } from './run-gateway.ts';

await runProgram(() => runGateway(parseProgram<GatewayProcessOptions>('gateway')));
