import type { PlannedRequest } from './planned-request.ts';

interface Due {
  readonly number: number;
  readonly micros: number;
}

/** The clients: they send each request when it is due and when few enough are open. */
export class ClientLoop {
  readonly #requests: readonly PlannedRequest[];
  readonly #maxConcurrency: number;
  /** Requests that follow no other, in the order of their arrival. */
  readonly #starts: readonly number[];
  readonly #followers = new Map<number, number>();
  /** Followers whose pause runs, the next one last. */
  readonly #pausing: Due[] = [];
  #nextStart = 0;
  #open = 0;
  mostOpen = 0;

  constructor(requests: readonly PlannedRequest[], maxConcurrency: number) {
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

  /** Sends the next request; returns its number. */
  send(): { readonly request: PlannedRequest; readonly number: number } {
    this.#open++;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const number =
      this.#startMicros <= this.#pauseMicros
        ? this.#starts[this.#nextStart++]!
        : this.#pausing.pop()!.number;
    return { request: this.#requests[number]!, number };
  }

  /** Hears that a request was answered: the pause of the one that follows it begins. */
  answered(number: number, nowMicros: number): void {
    this.#open--;
    const follower = this.#followers.get(number);
    if (follower === undefined) return;
    const micros = nowMicros + this.#requests[follower]!.follows!.pauseMicros;
    const earlier = this.#pausing.findIndex((due) => due.micros <= micros);
    this.#pausing.splice(earlier < 0 ? this.#pausing.length : earlier, 0, {
      number: follower,
      micros,
    });
  }

  /** Hears that a request was refused: its session ends. */
  refused(): void {
    this.#open--;
  }

  get #startMicros(): number {
    const number = this.#starts[this.#nextStart];
    return number === undefined ? Number.POSITIVE_INFINITY : this.#requests[number]!.arrivalMicros;
  }

  get #pauseMicros(): number {
    return this.#pausing.at(-1)?.micros ?? Number.POSITIVE_INFINITY;
  }
}
