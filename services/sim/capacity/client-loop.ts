/** A request as clients see it. */
export interface ClientRequest {
  readonly arrivalMicros: number;
  /** A turn of a session, sent so long after the answer to an earlier one; `arrivalMicros` means nothing. */
  readonly follows?: { readonly number: number; readonly pauseMicros: number };
}

interface Due {
  readonly number: number;
  readonly micros: number;
}

/** The clients: they send each request when it is due and when few enough are open. */
export class ClientLoop<Request extends ClientRequest> {
  readonly #requests: readonly Request[];
  readonly #maxConcurrency: number;
  /** Requests that follow no other, in the order of their arrival. */
  readonly #starts: readonly number[];
  readonly #followers = new Map<number, number>();
  /** Followers whose pause runs, the next one last. */
  readonly #pausing: Due[] = [];
  #nextStart = 0;
  #sent = 0;
  #open = 0;
  mostOpen = 0;

  constructor(requests: readonly Request[], maxConcurrency: number) {
    this.#requests = requests;
    this.#maxConcurrency = maxConcurrency;
    const starts: number[] = [];
    requests.forEach(({ follows }, number) => {
      if (follows === undefined) starts.push(number);
      else this.#followers.set(follows.number, number);
    });
    this.#starts = starts;
  }

  /** When the next request is due; infinite where none is left or none may be sent now. */
  get dueMicros(): number {
    if (this.#open >= this.#maxConcurrency) return Number.POSITIVE_INFINITY;
    return Math.min(this.#startMicros, this.#pauseMicros);
  }

  /** Requests that were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Requests that were sent and have not ended. */
  get open(): number {
    return this.#open;
  }

  /** Whether all requests have ended. */
  get isIdle(): boolean {
    const isSent = this.#nextStart === this.#starts.length && this.#pausing.length === 0;
    return this.#open === 0 && isSent;
  }

  /** Sends the next request; returns its number. */
  send(): { readonly request: Request; readonly number: number } {
    this.#sent++;
    this.#open++;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const number =
      this.#startMicros <= this.#pauseMicros
        ? this.#starts[this.#nextStart++]!
        : this.#pausing.pop()!.number;
    return { request: this.#requests[number]!, number };
  }

  /** Hears that a request has ended without an answer: its session ends. */
  ended(): void {
    this.#open--;
  }

  /** Hears that a request was answered: the pause of the one that follows it begins. */
  answered(number: number, nowMicros: number): void {
    this.#open--;
    const follower = this.#followers.get(number);
    if (follower === undefined) return;
    const micros = nowMicros + this.#requests[follower]!.follows!.pauseMicros;
    const earlier = this.#pausing.findIndex((due) => due.micros <= micros);
    const place = earlier < 0 ? this.#pausing.length : earlier;
    this.#pausing.splice(place, 0, { number: follower, micros });
  }

  get #startMicros(): number {
    const number = this.#starts[this.#nextStart];
    return number === undefined ? Number.POSITIVE_INFINITY : this.#requests[number]!.arrivalMicros;
  }

  get #pauseMicros(): number {
    return this.#pausing.at(-1)?.micros ?? Number.POSITIVE_INFINITY;
  }
}
