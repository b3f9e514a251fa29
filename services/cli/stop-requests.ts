import { EXIT_CODES, StopRequest } from './errors.ts';

/**
 * Fires, with a StopRequest as its reason, at the first SIGINT or SIGTERM or when nobody reads standard output any
 * more. A second signal ends the program at once, and with it the processes that it started.
 */
export function listenForStop(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.interrupted);
    controller.abort(new StopRequest('interrupted', EXIT_CODES.interrupted));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.stdout.on('error', () => {
    controller.abort(new StopRequest('nobody reads the output', EXIT_CODES.ok));
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
