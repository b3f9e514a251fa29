import { setMaxListeners } from 'node:events';

/**
 * Runs something for every item at the same time. The first that fails ends the others by their
 * signal; once they have ended, its error is thrown.
 */
export async function allOrNone<Item, Result>(
  items: readonly Item[],
  run: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const failure = new AbortController();
  setMaxListeners(0, failure.signal); // Every run listens.
  const runs = items.map((item) => run(item, failure.signal));
  try {
    return await Promise.all(runs);
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(runs);
    throw error;
  }
}
