import { BrokerError } from '../../bus/broker-error.ts';
import { InvalidArgumentError, ModelError } from '../../core/support/errors.ts';
import { RpcError } from '../../rpc/status.ts';
import { exitWithParent } from './exit-with-parent.ts';

/** Errors whose message says all that whoever started the program needs. */
const EXPECTED = [BrokerError, RpcError, InvalidArgumentError, ModelError];

/**
 * Runs what a process is there for, until its parent ends. What was foreseen ends it with one
 * sentence and the code 1; anything else is an error in the program and shows where.
 */
export async function runProgram(run: () => Promise<void>): Promise<void> {
  exitWithParent();
  try {
    await run();
  } catch (error) {
    if (!EXPECTED.some((expected) => error instanceof expected)) throw error;
    process.stderr.write(`error: ${(error as Error).message}\n`, () => process.exit(1));
  }
}
