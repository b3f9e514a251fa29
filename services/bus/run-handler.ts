import type { BusMessage } from './bus.ts';

/**
 * Calls a handler so that what it throws becomes an uncaught exception of the process, as in any
 * event handler, and does not silently end the connection's reader.
 */
export function runHandler(handler: (message: BusMessage) => void, message: BusMessage): void {
  try {
    handler(message);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
