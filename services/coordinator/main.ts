import { runCoordinator } from '../runtime/coordinator/run-coordinator.ts';
import type { NodeOptions } from '../runtime/options/node-options.ts';
import type { ServingOptions } from '../runtime/options/serving-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';

exitWithParent();
await runCoordinator(parseProgram<NodeOptions & ServingOptions>('coordinator'));
