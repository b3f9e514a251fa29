import type { Bus, Subscription } from '../../bus/bus.ts';
import { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { CoordinatorOptions } from '../../cluster/coordinator-options.ts';
import { encodeCommand } from '../../wire/command-codec.ts';
import { decodeReport } from '../../wire/report-codec.ts';
import { GroupSubjects } from '../../wire/subjects.ts';
import { Alarm } from '../support/alarm.ts';
import { hostMicros } from '../support/host-clock.ts';

export interface CoordinatorHostOptions extends CoordinatorOptions {
  readonly bus: Bus;
  readonly cluster: string;
  readonly group: string;
  readonly onEvent: (event: CoordinatorEvent) => void;
}

/** Runs a coordinator's state machine on a bus and Node's timers. */
export class CoordinatorHost {
  readonly coordinator: Coordinator;
  readonly #options: CoordinatorHostOptions;
  readonly #subjects: GroupSubjects;
  #reports: Subscription | undefined;
  #ticker: NodeJS.Timeout | undefined;
  readonly #alarm = new Alarm(() => this.coordinator.alarm());

  constructor(options: CoordinatorHostOptions) {
    this.#options = options;
    this.#subjects = new GroupSubjects(options.cluster, options.group);
    this.coordinator = new Coordinator(options, {
      command: (command) => options.bus.publish(this.#subjects.command, encodeCommand(command)),
      event: options.onEvent,
      setTick: (delayMicros) => {
        this.#ticker = setTimeout(() => this.coordinator.tick(), delayMicros / 1000);
      },
      setAlarm: (delayMicros) => this.#alarm.set(delayMicros),
      nowMicros: hostMicros,
    });
  }

  /** Listens to the chips, which offer themselves. */
  start(): void {
    this.#reports = this.#options.bus.subscribe(this.#subjects.allReports, ({ data }) => {
      const report = decodeReport(data);
      if (report !== undefined) this.coordinator.receiveReport(report);
    });
    this.#options.bus.onStatus((status) => {
      if (status === 'reconnected') this.coordinator.reconnected();
    });
    this.coordinator.tick();
  }

  close(): void {
    this.#reports?.unsubscribe();
    clearTimeout(this.#ticker);
    this.#alarm.clear();
  }
}
