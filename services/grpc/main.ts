import type { GrpcProcessOptions } from '../runtime/options/grpc-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import { runProgram } from '../runtime/process/run-program.ts';
import { runGrpcServer } from './run-grpc-server.ts';

await runProgram(() => runGrpcServer(parseProgram<GrpcProcessOptions>('grpc')));
