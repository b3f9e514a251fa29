import { setMaxListeners } from 'node:events';
import { EXIT_CODES, StopRequest } from './errors.ts';

/**
 * A terminal and npm may both pass on the same Ctrl-C: what comes this soon is not a second one.
 */
const SAME_REQUEST_MS = 500;

/**
 * `onInterrupt` may take a SIGINT for something else than the end of the program, and then gives
 * true.
 *
 * Fires at the first SIGINT or SIGTERM or when nobody reads standard output any more, with a
 * StopRequest as its reason. A second signal ends the program at once, and with it the processes
 * that it started.
 */
export function listenForStop(onInterrupt: () => boolean = () => false): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // Every request listens.
  let firstMs: number | undefined;
  const interrupt = (): void => {
    firstMs ??= performance.now();
    if (performance.now() - firstMs > SAME_REQUEST_MS) process.exit(EXIT_CODES.interrupted);
    controller.abort(new StopRequest('interrupted', EXIT_CODES.interrupted));
  };
  process.on('SIGINT', () => onInterrupt() || interrupt());
  process.on('SIGTERM', interrupt);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const left = error.code === 'EPIPE';
    controller.abort(left ? new StopRequest('nobody reads the output', EXIT_CODES.ok) : error);
  });
  // Without a reader of progress the work goes on.
  process.stderr.on('error', () => {});
  return controller.signal;
}

/** Rejects with the signal's reason when it fires. */
export function untilStopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
