import type { Coordinator } from '../../cluster/coordinator.ts';
import type { Pace } from '../../cluster/pacer.ts';

const INTERVAL_MS = 1000;

/** Tells from time to time how well a group holds its pace, and once more at the end. */
export class PaceWatch {
  readonly #coordinator: Coordinator;
  readonly #tell: (pace: Pace) => void;
  readonly #timer: NodeJS.Timeout;
  #toldMicros = 0;

  constructor(coordinator: Coordinator, tell: (pace: Pace) => void) {
    this.#coordinator = coordinator;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  #look(): void {
    const pace = this.#coordinator.clock?.pace;
    if (pace === undefined || pace.deviceMicros === this.#toldMicros) return;
    this.#toldMicros = pace.deviceMicros;
    this.#tell(pace);
  }
}
