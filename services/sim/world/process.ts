/** Messages and timers that a hung process finds when it goes on; what comes beyond is lost. */
const MAX_DEFERRED = 4096;

/**
 * The life of one simulated process: it runs, hangs (what reaches it waits) or is dead (what
 * reaches it is lost).
 */
export class Process {
  #state: 'running' | 'hung' | 'dead' = 'running';
  readonly #deferred: (() => void)[] = [];
  #lost = 0;

  get state(): 'running' | 'hung' | 'dead' {
    return this.#state;
  }

  /** What was lost because the process hung for too long. */
  get lost(): number {
    return this.#lost;
  }

  /** Lets the process do something: now, once it goes on, or never. */
  handle(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'hung' && this.#deferred.length < MAX_DEFERRED) {
      this.#deferred.push(action);
    } else this.#lost++;
  }

  hang(): void {
    if (this.#state === 'running') this.#state = 'hung';
  }

  /** Goes on, and does all that waits, in order. */
  resume(): void {
    if (this.#state !== 'hung') return;
    this.#state = 'running';
    for (const action of this.#deferred.splice(0)) this.handle(action);
  }

  kill(): void {
    this.#state = 'dead';
    this.#deferred.length = 0;
  }
}
