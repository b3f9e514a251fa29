import type { SequenceStep, StepRecord } from '../../client/index.ts';
import type { TraceEvent } from '../../sim/capacity/trace-events.ts';

/** Processes of the trace: what Perfetto shows as groups of tracks. */
const HOST = { engine: 1, requests: 2, firstChip: 10 } as const;
const DEVICE = { engine: 1_001, requests: 1_002 } as const;
const CHIP_TRACKS = ['segments', 'exchanges'] as const;
const MICROS_PER_MS = 1e3;
const MICROS_PER_SECOND = 1e6;

/** A stretch of one of the two clocks. */
interface Span {
  readonly ts: number;
  readonly dur: number;
}

/**
 * Turns the steps of a live cluster into events of a Chrome trace: in host time steps, requests, and
 * what every chip computes and exchanges; in device time steps and requests. Either clock begins
 * with the first step.
 */
export class LiveTrace {
  /** Track of each sample that is under way. */
  readonly #tracks = new Map<string, number>();
  readonly #named = new Set<string>();
  #start: { readonly hostMs: number; readonly deviceSeconds: number } | undefined;

  eventsOf(record: StepRecord): readonly TraceEvent[] {
    const { beganMs, endedMs, deviceBeganSeconds, deviceSeconds } = record;
    this.#start ??= { hostMs: beganMs, deviceSeconds: deviceBeganSeconds };
    const host = {
      ts: (beganMs - this.#start.hostMs) * MICROS_PER_MS,
      dur: (endedMs - beganMs) * MICROS_PER_MS,
    };
    const device = {
      ts: (deviceBeganSeconds - this.#start.deviceSeconds) * MICROS_PER_SECOND,
      dur: deviceSeconds * MICROS_PER_SECOND,
    };
    const events = [
      ...this.#ofClock(record, { ...HOST, clock: 'host time', span: host }),
      ...this.#ofClock(record, { ...DEVICE, clock: 'device time', span: device }),
      ...this.#ofChips(record, this.#start.hostMs * MICROS_PER_MS),
    ];
    for (const ended of record.ended) this.#tracks.delete(keyOf(ended));
    return events;
  }

  #ofClock(
    record: StepRecord,
    on: {
      readonly engine: number;
      readonly requests: number;
      readonly clock: string;
      readonly span: Span;
    },
  ): TraceEvent[] {
    const { engine, requests, clock, span } = on;
    const { running, waiting, kvBlocksUsed, sequences } = record;
    const count = { ph: 'C' as const, pid: engine, ts: span.ts + span.dur };
    return [
      ...this.#name(engine, `engine (${clock})`, ['steps']),
      { name: nameOfStep(record), ph: 'X', pid: engine, tid: 1, ...span, args: argsOf(record) },
      { name: 'requests', ...count, args: { running, waiting } },
      { name: 'KV blocks', ...count, args: { used: kvBlocksUsed } },
      ...this.#name(requests, `requests (${clock})`, []),
      ...sequences.map((sequence) => ({
        name: `${sequence.phase} ${sequence.requestId}`,
        ...{ ph: 'X' as const, pid: requests, tid: this.#trackOf(sequence), ...span },
        args: { ...sequence, sampled: Number(sequence.sampled) },
      })),
    ];
  }

  #ofChips({ chips }: StepRecord, startMicros: number): TraceEvent[] {
    return chips.flatMap(({ segments, exchanges }, rank) => {
      const pid = HOST.firstChip + rank;
      const at = (span: { readonly beganMicros: number; readonly endedMicros: number }) => ({
        ts: span.beganMicros - startMicros,
        dur: span.endedMicros - span.beganMicros,
      });
      return [
        ...this.#name(pid, `chip ${rank} (host time)`, CHIP_TRACKS),
        ...segments.map((it) => ({
          name: it.segment,
          ...{ ph: 'X' as const, pid, tid: 1, ...at(it) },
          args: { layer: it.layer },
        })),
        ...exchanges.map((it) => ({
          name: `${it.operation}, ${it.algorithm}`,
          ...{ ph: 'X' as const, pid, tid: 2, ...at(it) },
          args: { layer: it.layer, bytesSent: it.bytesSent, skewMicros: it.skewMicros },
        })),
      ];
    });
  }

  /** Names a group and its tracks, once. */
  #name(pid: number, name: string, tracks: readonly string[]): TraceEvent[] {
    if (this.#named.has(name)) return [];
    this.#named.add(name);
    return [
      { name: 'process_name', ph: 'M', pid, args: { name } },
      ...tracks.map((track, index) => ({
        name: 'thread_name',
        ...{ ph: 'M' as const, pid, tid: index + 1 },
        args: { name: track },
      })),
    ];
  }

  /** The lowest track that no other sample is on, for as long as the sample is under way. */
  #trackOf(sequence: SequenceStep): number {
    const key = keyOf(sequence);
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const taken = new Set(this.#tracks.values());
    let track = 1;
    while (taken.has(track)) track++;
    this.#tracks.set(key, track);
    return track;
  }
}

function keyOf({ requestId, index }: { readonly requestId: string; readonly index: number }) {
  return `${requestId} ${index}`;
}

function nameOfStep({ step, binds }: StepRecord): string {
  return binds === '' ? `step ${step}` : `step ${step}, ${binds} binds`;
}

function argsOf(record: StepRecord): Record<string, number> {
  const { epoch, sequences, skewMs, mfu, hbmBandwidth, linkBandwidth, preemptions } = record;
  const tokens = sequences.reduce((sum, each) => sum + each.tokens, 0);
  const lost = record.lost > 0 ? { lost: record.lost } : {};
  return {
    ...{ epoch, sequences: sequences.length, tokens, skewMs, preemptions },
    ...{ mfu, hbmBandwidth, linkBandwidth, ...lost },
  };
}
