import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Lets go of all that nobody holds. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that the program really holds: objects and buffers, without garbage. */
export function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
