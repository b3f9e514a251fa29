import { InvalidArgumentError, ModelError } from '../../core/support/errors.ts';
import { RpcError } from '../../rpc/status.ts';
import { BrokerUnavailableError } from '../../runtime/broker/broker-unavailable-error.ts';
import { AddressUnavailableError } from '../../runtime/cluster/address-unavailable-error.ts';

export const EXIT_CODES = {
  ok: 0,
  failed: 1,
  usage: 2,
  modelRefused: 3,
  brokerUnavailable: 4,
  addressUnavailable: 5,
  interrupted: 130,
} as const;

/** For the end of every help text. */
export const EXIT_CODES_HELP =
  '\nExit codes: 0 done, 1 failed, 2 usage, 3 model refused, 4 no broker, 5 address taken, 130 interrupted.';

/** The same at length. */
export const EXIT_CODE_MEANINGS: Readonly<Record<string, string>> = {
  [EXIT_CODES.ok]:
    'done; also where a cluster ends because it was told to, or nobody reads the output',
  [EXIT_CODES.failed]:
    'failed: a request, a process that ended, a check of `sohu doctor`, a world that does not hold',
  [EXIT_CODES.usage]: 'wrong usage: an option, a value or a name that there is not',
  [EXIT_CODES.modelRefused]:
    'the model is refused: no such model, a damaged file, not a transformer',
  [EXIT_CODES.brokerUnavailable]: 'there is no broker, or it does not start',
  [EXIT_CODES.addressUnavailable]: 'the address of HTTP or gRPC is taken',
  [EXIT_CODES.interrupted]: 'interrupted by Ctrl-C or SIGTERM',
};

/** The user, or the reader of our output, wants the program to end; nothing went wrong. */
export class StopRequest extends Error {
  override readonly name = 'StopRequest';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code of a command that threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof StopRequest) return error.exitCode;
  if (error instanceof InvalidArgumentError) return EXIT_CODES.usage;
  if (error instanceof RpcError && error.code === 'INVALID_ARGUMENT') return EXIT_CODES.usage;
  if (error instanceof ModelError) return EXIT_CODES.modelRefused;
  if (error instanceof BrokerUnavailableError) return EXIT_CODES.brokerUnavailable;
  if (error instanceof AddressUnavailableError) return EXIT_CODES.addressUnavailable;
  return EXIT_CODES.failed;
}
