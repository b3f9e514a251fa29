import { runCoordinator } from '../runtime/coordinator/run-coordinator.ts';
import type { CoordinatorProcessOptions } from '../runtime/options/coordinator-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';

exitWithParent();
await runCoordinator(parseProgram<CoordinatorProcessOptions>('coordinator'));
