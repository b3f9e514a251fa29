import type { OperatorPrice } from '../../core/timing/step-price.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { PlacedStep } from './simulate-capacity.ts';

/** An event of the Chrome trace format, which Perfetto reads; times in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'C' | 'M';
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, number | string>>;
}

const TRACKS = ['steps', 'operators', 'collectives'] as const;
const MICROS_PER_SECOND = 1e6;

/** Names the tracks of one batch of a replica. */
export function nameTracks(replica: number, batch: number): readonly TraceEvent[] {
  const named = TRACKS.map((track, index) => ({
    name: 'thread_name',
    ph: 'M' as const,
    pid: replica,
    tid: trackOf(batch, index),
    args: { name: `batch ${batch}: ${track}` },
  }));
  const name = `replica ${replica} (device time)`;
  return [{ name: 'process_name', ph: 'M', pid: replica, args: { name } }, ...named];
}

/**
 * The events of a step: itself, its operators end to end, each over all layers, its collectives in a
 * track of their own, of which the hidden part runs beside the operators, and the state after it was
 * scheduled.
 */
export function traceEventsOf(step: PlacedStep, pricer: StepPricer): readonly TraceEvent[] {
  const { shape, price, beganMicros, endMicros, lane, replica, batch } = step;
  const operators = pricer.explain(shape).filter(({ seconds }) => seconds > 0);
  const work = operators.filter(({ collectiveSeconds }) => collectiveSeconds === 0);
  const collectives = operators.filter(({ collectiveSeconds }) => collectiveSeconds > 0);
  const { breakdown, hiddenCollectiveSeconds } = price;
  const exposedMicros = MICROS_PER_SECOND * breakdown.collectiveSeconds;
  const hiddenMicros = MICROS_PER_SECOND * hiddenCollectiveSeconds;
  const workMicros = MICROS_PER_SECOND * price.seconds - exposedMicros;
  const place = { pid: replica, ts: beganMicros };
  return [
    {
      ...{ name: `step, ${price.binds} binds`, ph: 'X', ...place, tid: trackOf(batch, 0) },
      dur: endMicros - beganMicros,
      args: { ...shape },
    },
    ...endToEnd(work, { ...place, tid: trackOf(batch, 1), dur: workMicros }),
    ...endToEnd(collectives, {
      pid: replica,
      tid: trackOf(batch, 2),
      ts: beganMicros + workMicros - hiddenMicros,
      dur: exposedMicros + hiddenMicros,
    }),
    {
      ...{ name: `requests of batch ${batch}`, ph: 'C', ...place },
      args: { running: lane.scheduler.runningCount, waiting: lane.scheduler.waitingCount },
    },
    {
      ...{ name: `KV blocks of batch ${batch}`, ph: 'C', ...place },
      args: { used: lane.scheduler.usedBlocks },
    },
  ];
}

function trackOf(batch: number, index: number): number {
  return batch * TRACKS.length + index + 1;
}

/** Operators that fill a span together, each with its share of it. */
function endToEnd(
  operators: readonly OperatorPrice[],
  span: {
    readonly pid: number;
    readonly tid: number;
    readonly ts: number;
    readonly dur: number;
  },
): readonly TraceEvent[] {
  const total = operators.reduce((sum, { seconds }) => sum + seconds, 0);
  let before = 0;
  return operators.map(({ name, seconds, flops, memoryBytes }) => {
    const ts = span.ts + (span.dur * before) / total;
    before += seconds;
    const { pid, tid } = span;
    return {
      ...{ name, ph: 'X' as const, pid, tid, ts, dur: (span.dur * seconds) / total },
      args: { flops, memoryBytes },
    };
  });
}
