import type { ClusterSnapshot } from '../rpc/telemetry-types.ts';
import type { Link } from './console-state.ts';

const CAPACITY = 60;
/** Preemptions so close together are one entry. */
const MERGE_MS = 5_000;

export interface JournalEntry {
  /** The browser's time, since 1970. */
  readonly atMs: number;
  text: string;
  readonly isBad: boolean;
}

/** What happened that is out of the ordinary, the newest first. */
export class Journal {
  readonly entries: JournalEntry[] = [];
  #preempted: { entry: JournalEntry; count: number } | undefined;

  link(now: Link, before: Link, message: string): void {
    if (now === 'live') this.#add(before === 'connecting' ? 'connected' : 'the cluster is back');
    if (now === 'away') this.#add(`the cluster is away: ${message}`, true);
    if (now === 'lost') this.#add(`the gateway is away: ${message}`, true);
    if (now === 'locked') this.#add('the gateway wants a key', true);
  }

  snapshot(before: ClusterSnapshot | undefined, now: ClusterSnapshot): void {
    if (before === undefined) return;
    if (now.uptimeMs < before.uptimeMs) this.#add('the engine was started anew');
    else if (now.epoch !== before.epoch) {
      this.#add(`epoch ${before.epoch} → ${now.epoch}: the chips began anew`, true);
    }
    if (now.state !== before.state)
      this.#add(`the engine is ${now.state}`, now.state !== 'serving');
    const ready = ({ chips }: ClusterSnapshot): number =>
      chips.filter(({ state }) => state === 'ready').length;
    if (ready(now) !== ready(before)) {
      const isLess = ready(now) < ready(before);
      this.#add(`${ready(now)} of ${now.tensorParallelSize} chips are ready`, isLess);
    }
    const dropped = droppedFrames(now) - droppedFrames(before);
    if (dropped > 0) this.#add(`${dropped} frames were dropped between chips`, true);
  }

  preempted(count: number): void {
    const last = this.#preempted;
    if (last?.entry === this.entries[0] && Date.now() - (last?.entry.atMs ?? 0) < MERGE_MS) {
      last!.count += count;
      last!.entry.text = `${last!.count} preemptions`;
      return;
    }
    this.#add(count === 1 ? '1 preemption' : `${count} preemptions`);
    this.#preempted = { entry: this.entries[0]!, count };
  }

  #add(text: string, isBad = false): void {
    this.entries.unshift({ atMs: Date.now(), text, isBad });
    this.entries.length = Math.min(CAPACITY, this.entries.length);
  }
}

/** Frames that all chips have dropped since their start. */
export function droppedFrames({ chips }: ClusterSnapshot): number {
  return chips.reduce((total, chip) => total + chip.droppedFrames, 0);
}
