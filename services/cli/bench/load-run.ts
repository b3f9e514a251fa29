import { ClientLoop } from '../../sim/capacity/client-loop.ts';
import { Distribution } from '../../sim/capacity/distribution.ts';
import type { LatencyGoals } from '../../sim/capacity/latency-goals.ts';
import { reportServing, type ServingReport } from '../../sim/capacity/serving-report.ts';
import { ServingStatistics } from '../../sim/capacity/serving-statistics.ts';
import { LimitedSignal } from '../terminal/limited-signal.ts';
import { LoadError, type LoadRequest, type LoadTarget } from './load-target.ts';
import { RequestWatch } from './request-watch.ts';

/** Why a request ends early. */
const TOO_LONG = new LoadError('timeout', 'the request took too long');
const LEFT = new Error('its client left');

/** A request, when it is sent, and whether its client gives up. */
export interface TimedRequest {
  readonly arrivalMicros: number;
  readonly inputTokens: number;
  /** Milliseconds after which its client leaves; undefined where it stays. */
  readonly cancelAfterMs: number | undefined;
  /** Made when it is sent, so that prompts of a long run are not all held. */
  readonly make: () => LoadRequest;
}

export interface LoadRunOptions {
  readonly target: LoadTarget;
  /** In the order of arrival. */
  readonly requests: readonly TimedRequest[];
  readonly maxConcurrency: number;
  readonly arrivalsPerSecond: number;
  readonly goals: LatencyGoals;
  /** A request that takes longer has failed. */
  readonly timeoutMs: number;
  /** Ends the run early; what was measured until then is reported. */
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/** Failures of one kind, and what the first of them was told. */
export interface Failures {
  count: number;
  readonly example: string;
}

/** What a run measured, on the host's clock. */
export interface LoadResult {
  readonly report: ServingReport;
  readonly failures: ReadonlyMap<string, Failures>;
  readonly cancelled: number;
  /** Requests that were not sent because the run ended early. */
  readonly unsent: number;
  /** How much later than planned requests were sent, in microseconds. */
  readonly lag: Distribution;
}

/**
 * Sends requests when they are due, whether or not earlier ones are answered, and measures what comes
 * back: an open loop, so that a slow server is not spared.
 */
export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #clients: ClientLoop<TimedRequest>;
  readonly #statistics: ServingStatistics;
  readonly #failures = new Map<string, Failures>();
  readonly #lag = new Distribution();
  readonly #startMs = performance.now();
  readonly #finished: Promise<void>;
  #finish!: () => void;
  #timer: NodeJS.Timeout | undefined;
  #cancelled = 0;
  #ended = 0;
  #lastTokenMicros = 0;

  constructor(options: LoadRunOptions) {
    this.#options = options;
    this.#clients = new ClientLoop(options.requests, options.maxConcurrency);
    this.#statistics = new ServingStatistics(options.goals);
    this.#finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  async run(): Promise<LoadResult> {
    const { signal, requests, arrivalsPerSecond } = this.#options;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#pump();
    await this.#finished;
    const { mostOpen, sent } = this.#clients;
    return {
      report: reportServing(this.#statistics, {
        micros: this.#lastTokenMicros,
        arrivalsPerSecond,
        mostOpen,
      }),
      failures: this.#failures,
      cancelled: this.#cancelled,
      unsent: requests.length - sent,
      lag: this.#lag,
    };
  }

  /** Sends what is due, and waits for what is due next. */
  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#options.signal.aborted) {
      this.#stop();
      return;
    }
    const nowMicros = this.#nowMicros();
    while (this.#clients.dueMicros <= nowMicros) this.#begin(nowMicros);
    const { dueMicros, isIdle } = this.#clients;
    if (isIdle) this.#finish();
    else if (dueMicros < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.#pump(), (dueMicros - nowMicros) / 1000);
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    if (this.#clients.open === 0) this.#finish();
  }

  #begin(nowMicros: number): void {
    const { request } = this.#clients.send();
    // Where clients are bounded, a request waits for one without being late.
    const waits = Number.isFinite(this.#options.maxConcurrency);
    if (!waits) this.#lag.add(nowMicros - request.arrivalMicros);
    void this.#serve(request).then(() => {
      this.#clients.ended();
      this.#options.onProgress(++this.#ended / this.#options.requests.length);
      this.#pump();
    });
  }

  async #serve(request: TimedRequest): Promise<void> {
    const { signal: stopped, target, timeoutMs } = this.#options;
    const limited = new LimitedSignal(stopped);
    limited.after(timeoutMs, TOO_LONG);
    if (request.cancelAfterMs !== undefined) limited.after(request.cancelAfterMs, LEFT);
    const { signal } = limited;
    const made = request.make();
    const watch = new RequestWatch(this.#statistics, this.#nowMicros());
    try {
      for await (const event of target.send(made, signal)) {
        const nowMicros = this.#nowMicros();
        watch.take(event, nowMicros);
        if (event.kind === 'tokens') this.#lastTokenMicros = nowMicros;
      }
      watch.complete(request.inputTokens);
    } catch (error) {
      if (signal.reason === TOO_LONG) this.#fail(TOO_LONG);
      else if (signal.aborted) this.#cancelled++;
      else this.#fail(error);
    } finally {
      limited.release();
    }
  }

  #fail(error: unknown): void {
    const label = error instanceof LoadError ? error.label : 'error';
    const known = this.#failures.get(label);
    if (known === undefined) {
      this.#failures.set(label, { count: 1, example: (error as Error).message });
    } else known.count++;
  }

  #nowMicros(): number {
    return 1000 * (performance.now() - this.#startMs);
  }
}
