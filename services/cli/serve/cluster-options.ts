import { type Command, InvalidArgumentError as InvalidOptionError, Option } from 'commander';
import { isToken } from '../../rpc/subjects.ts';
import { addServingOptions, type ServingOptions } from '../../runtime/options/serving-options.ts';

/** The options of a command that starts a cluster. */
export interface ClusterOptions extends ServingOptions {
  readonly cluster: string;
  readonly natsServer: string | undefined;
  /** Port of gRPC, where the command serves it. */
  readonly grpcPort?: number | undefined;
}

/** Adds the options of a cluster to a command. */
export function addClusterOptions(command: Command): Command {
  return addServingOptions(command)
    .option('--cluster <name>', 'name of the cluster', clusterName, 'sohu')
    .option('--nats-server <file>', 'the broker’s program (default: SOHU_NATS_SERVER, else found)');
}

/** As whom a command speaks to a broker that asks for a key. */
export function nkeyOption(): Option {
  const description = 'seed of the nkey that the broker at --nats knows';
  return new Option('--nats-nkey-file <file>', description).env('SOHU_NATS_NKEY_FILE');
}

function clusterName(text: string): string {
  if (isToken(text)) return text;
  throw new InvalidOptionError('It must be 1 to 64 letters, digits, "-" or "_".');
}
