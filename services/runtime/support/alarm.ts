const MICROS_PER_MS = 1000;

/**
 * A timer that is finer than Node's, whose timers know whole milliseconds: it sleeps through these, and
 * lets the event loop turn for what is left, which is less than one.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings once after the delay and never before; an alarm that was set is forgotten. */
  set(delayMicros: number): void {
    this.clear();
    const dueMs = performance.now() + delayMicros / MICROS_PER_MS;
    const wholeMs = Math.floor(delayMicros / MICROS_PER_MS);
    if (wholeMs < 1) this.#spin(dueMs);
    else this.#timer = setTimeout(() => this.#spin(dueMs), wholeMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  #spin(dueMs: number): void {
    if (performance.now() >= dueMs) this.#ring();
    else this.#turn = setImmediate(() => this.#spin(dueMs));
  }
}
