import { Command } from 'commander';
import { addConnectionOptions } from '../runtime/options/node-options.ts';
import { portNumber } from '../runtime/options/option-values.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { type GrpcProcessOptions, runGrpcServer } from './run-grpc-server.ts';

exitWithParent();
const command = addConnectionOptions(new Command('sohu-grpc'))
  .description('The gRPC front of a cluster.')
  .option('--host <address>', 'where gRPC is served', '127.0.0.1')
  .option('--port <number>', 'port of gRPC (0: a free one)', portNumber, 50051);
await runGrpcServer(command.parse().opts<GrpcProcessOptions>());
