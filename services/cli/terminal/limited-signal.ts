/**
 * A signal that fires with another one, or when a time is over. `AbortSignal.timeout` among the
 * sources of `AbortSignal.any` would do, if Node kept it: once memory is collected it never fires.
 */
export class LimitedSignal {
  readonly #controller = new AbortController();
  readonly #source: AbortSignal;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #forward = (): void => this.#controller.abort(this.#source.reason);

  constructor(source: AbortSignal) {
    this.#source = source;
    if (source.aborted) this.#forward();
    source.addEventListener('abort', this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Lets it fire after a time, with a reason to know it by. */
  after(durationMs: number, reason: unknown): void {
    this.#timers.push(setTimeout(() => this.#controller.abort(reason), durationMs));
  }

  /** Nobody waits for it any more. */
  release(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#source.removeEventListener('abort', this.#forward);
  }
}
