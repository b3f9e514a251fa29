/** The clients: they send each request when it is due and when few enough are open. */
export class ClientLoop<Request extends { readonly arrivalMicros: number }> {
  readonly #requests: readonly Request[];
  readonly #maxConcurrency: number;
  #next = 0;
  #open = 0;
  mostOpen = 0;

  constructor(requests: readonly Request[], maxConcurrency: number) {
    this.#requests = requests;
    this.#maxConcurrency = maxConcurrency;
  }

  /** When the next request is due; infinite where none is left or none may be sent now. */
  get dueMicros(): number {
    if (this.#open >= this.#maxConcurrency) return Number.POSITIVE_INFINITY;
    return this.#requests[this.#next]?.arrivalMicros ?? Number.POSITIVE_INFINITY;
  }

  /** Requests that were sent. */
  get sent(): number {
    return this.#next;
  }

  /** Requests that were sent and have not ended. */
  get open(): number {
    return this.#open;
  }

  /** Whether all requests have ended. */
  get isIdle(): boolean {
    return this.#open === 0 && this.#next === this.#requests.length;
  }

  /** Sends the next request; returns its number. */
  send(): { readonly request: Request; readonly number: number } {
    this.#open++;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const number = this.#next++;
    return { request: this.#requests[number]!, number };
  }

  /** Hears that a request has ended. */
  ended(): void {
    this.#open--;
  }
}
