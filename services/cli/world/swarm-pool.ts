import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { WorldMode } from '../../sim/world/scenario.ts';
import { Transcript } from '../../sim/world/transcript.ts';
import type { SwarmResult, SwarmTask, SwarmViolation } from './swarm-worker.ts';

const SEEDS_PER_TASK = 20;

export interface SwarmRun {
  readonly first: number;
  readonly count: number;
  readonly modes: readonly WorldMode[];
  /** Hears how many seeds are done. */
  readonly onProgress: (done: number) => void;
}

export interface SwarmSummary {
  /** In the order of seeds. */
  readonly violations: readonly SwarmViolation[];
  readonly events: number;
  /** Of all transcripts, in the order of seeds: equal seeds, equal hash. */
  readonly transcript: string;
}

/** Runs seeds on all cores. */
export async function runSwarm({
  first,
  count,
  modes,
  onProgress,
}: SwarmRun): Promise<SwarmSummary> {
  const threads = Math.min(availableParallelism(), Math.ceil(count / SEEDS_PER_TASK));
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./swarm-worker.js', import.meta.url)),
    name: 'runSeeds',
    minThreads: threads,
    maxThreads: threads,
  });
  let done = 0;
  const run = async (task: SwarmTask): Promise<SwarmResult> => {
    const result = (await pool.run(task)) as SwarmResult;
    done += task.count;
    onProgress(done);
    return result;
  };
  try {
    const results = await Promise.all(tasksOf({ first, count, modes }).map(run));
    return summarize(results);
  } finally {
    await pool.destroy();
  }
}

function tasksOf({ first, count, modes }: SwarmTask): SwarmTask[] {
  return Array.from({ length: Math.ceil(count / SEEDS_PER_TASK) }, (_, index) => ({
    first: first + index * SEEDS_PER_TASK,
    count: Math.min(SEEDS_PER_TASK, count - index * SEEDS_PER_TASK),
    modes,
  }));
}

function summarize(results: readonly SwarmResult[]): SwarmSummary {
  const transcript = new Transcript();
  for (const { transcripts } of results) for (const hash of transcripts) transcript.addText(hash);
  return {
    violations: results.flatMap(({ violations }) => violations),
    events: results.reduce((sum, { events }) => sum + events, 0),
    transcript: transcript.hash,
  };
}
