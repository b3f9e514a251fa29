import { Coordinator, type CoordinatorOptions } from '../../cluster/coordinator.ts';
import type { Command, Report } from '../../cluster/messages.ts';
import { Process } from './process.ts';
import type { Timeline } from './timeline.ts';
import type { WorldObserver } from './world-observer.ts';

export interface CoordinatorProcessOptions {
  readonly options: CoordinatorOptions;
  readonly timeline: Timeline;
  readonly observer: WorldObserver;
  readonly command: (command: Command) => void;
}

/** A coordinator's state machine in virtual time, from its start to its end. */
export class CoordinatorProcess {
  readonly coordinator: Coordinator;
  readonly #process = new Process();

  constructor({ options, timeline, observer, command }: CoordinatorProcessOptions) {
    const coordinator: Coordinator = new Coordinator(options, {
      command: (told) => {
        observer.commanded?.(told);
        command(told);
      },
      event: (event) => observer.told?.(event),
      setTick: (delayMicros) =>
        timeline.after(delayMicros, () => this.#process.handle(() => coordinator.tick())),
      nowMicros: () => timeline.nowMicros,
    });
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
