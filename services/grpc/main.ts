import type { GrpcProcessOptions } from '../runtime/options/grpc-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { runGrpcServer } from './run-grpc-server.ts';

exitWithParent();
await runGrpcServer(parseProgram<GrpcProcessOptions>('grpc'));
