import { isFields } from '../../core/support/fields.ts';

/** What a parent tells a process that may first finish what it has taken in. */
export interface StopMessage {
  readonly kind: 'stop';
  /** How long the work may go on; what is then left is cancelled. */
  readonly drainMs: number;
}

/**
 * Runs `stop` at the first SIGINT, SIGTERM or StopMessage and then exits; a second signal exits at
 * once. A signal leaves `signalDrainMs` to finish work, a message what it says.
 */
export function onStopSignal(stop: (drainMs: number) => Promise<void>, signalDrainMs = 0): void {
  let stopping = false;
  const handle = (drainMs: number): void => {
    if (stopping) process.exit(1);
    stopping = true;
    stop(drainMs).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => handle(signalDrainMs));
  process.on('SIGTERM', () => handle(signalDrainMs));
  process.on('message', (message) => {
    if (isStopMessage(message)) handle(message.drainMs);
  });
  // To listen must not keep a process alive that has nothing to do.
  process.channel?.unref();
}

function isStopMessage(message: unknown): message is StopMessage {
  return isFields(message) && message.kind === 'stop' && typeof message.drainMs === 'number';
}
