import { Shard } from '../shard/shard.ts';
import type { LoadedShard } from './chip-effects.ts';
import { ExactProgram } from './exact-program.ts';
import { PhantomProgram } from './phantom-program.ts';
import type { ShardProgram } from './shard-program.ts';

/** The program of a shard; several of them must not use one shard. */
export function programOf({ shard }: LoadedShard): ShardProgram {
  return shard instanceof Shard ? new ExactProgram(shard) : new PhantomProgram(shard);
}
