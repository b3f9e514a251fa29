import type { Journal, JournalRecord } from '../../cluster/journal.ts';
import type { Timeline } from './timeline.ts';

/** Where the coordinators of a world keep their journal, one after the other. */
export interface JournalStore {
  /** Opens the journal for a coordinator; `durable` hears how many of its records outlast it. */
  open(durable: (count: number) => void): Journal;
  /** Loses what is not durable. */
  crash(): void;
}

/** A journal in memory that makes records durable some time after they were appended. */
export class MemoryJournalStore implements JournalStore {
  readonly #timeline: Timeline;
  readonly #flushMicros: () => number;
  readonly #durable: JournalRecord[] = [];
  #pending: JournalRecord[] = [];
  /** Counts the coordinators, so that a flush of one that has ended does nothing. */
  #generation = 0;

  constructor(timeline: Timeline, flushMicros: () => number) {
    this.#timeline = timeline;
    this.#flushMicros = flushMicros;
  }

  open(durable: (count: number) => void): Journal {
    const generation = ++this.#generation;
    const before = this.#durable.length;
    return {
      recovered: [...this.#durable],
      append: (record) => {
        this.#pending.push(record);
        if (this.#pending.length > 1) return; // the flush that is under way takes it along
        this.#timeline.after(this.#flushMicros(), () => {
          if (generation !== this.#generation) return;
          this.#durable.push(...this.#pending);
          this.#pending = [];
          durable(this.#durable.length - before);
        });
      },
    };
  }

  crash(): void {
    this.#generation++;
    this.#pending = [];
  }
}
