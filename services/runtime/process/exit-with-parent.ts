/** Set for processes that have a channel to the parent that started them. */
export const PARENT_VARIABLE = 'SOHU_PARENT_CHANNEL';

const ORPHANED_EXIT_CODE = 1;

/**
 * Ends this process when the one that started it is gone; does nothing when nobody of ours started
 * it.
 *
 * The channel closes with the parent even on SIGKILL. It does not keep this process alive.
 */
export function exitWithParent(): void {
  if (process.env[PARENT_VARIABLE] === undefined) return;
  // Our own children have other parents.
  delete process.env[PARENT_VARIABLE];
  if (!process.connected) process.exit(ORPHANED_EXIT_CODE);
  process.once('disconnect', () => process.exit(ORPHANED_EXIT_CODE));
  process.channel?.unref();
}
