import { runCoordinator } from '../runtime/coordinator/run-coordinator.ts';
import type { CoordinatorProcessOptions } from '../runtime/options/coordinator-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { runProgram } from '../runtime/process/run-program.ts';

await runProgram(() => runCoordinator(parseProgram<CoordinatorProcessOptions>('coordinator')));
