import { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorOptions } from '../../cluster/coordinator-options.ts';
import type { Command, Report } from '../../cluster/messages.ts';
import type { JournalStore } from './journal-store.ts';
import { Process } from './process.ts';
import type { Timeline } from './timeline.ts';
import type { WorldObserver } from './world-observer.ts';

export interface CoordinatorProcessOptions {
  readonly options: Omit<CoordinatorOptions, 'journal'>;
  readonly journal: JournalStore | undefined;
  readonly timeline: Timeline;
  readonly observer: WorldObserver;
  readonly command: (command: Command) => void;
}

/** A coordinator's state machine in virtual time, from its start to its end. */
export class CoordinatorProcess {
  readonly coordinator: Coordinator;
  readonly #process = new Process();

  constructor({ options, journal, timeline, observer, command }: CoordinatorProcessOptions) {
    const opened = journal?.open((count) =>
      this.#process.handle(() => coordinator.journaled(count)),
    );
    const coordinator: Coordinator = new Coordinator(
      { ...options, journal: opened },
      {
        command: (told) => {
          observer.commanded?.(told);
          command(told);
        },
        event: (event) => observer.told?.(event),
        setTick: (delayMicros) =>
          timeline.after(delayMicros, () => this.#process.handle(() => coordinator.tick())),
        setAlarm: (delayMicros) =>
          timeline.after(Math.ceil(delayMicros), () =>
            this.#process.handle(() => coordinator.alarm()),
          ),
        nowMicros: () => timeline.nowMicros,
      },
    );
    this.coordinator = coordinator;
  }

  get isRunning(): boolean {
    return this.#process.state === 'running';
  }

  start(): void {
    this.coordinator.tick();
  }

  receiveReport(report: Report): void {
    this.#process.handle(() => this.coordinator.receiveReport(report));
  }

  kill(): void {
    this.#process.kill();
  }
}
