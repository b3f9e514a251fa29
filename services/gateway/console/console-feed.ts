import { setTimeout as delay } from 'node:timers/promises';
import { type CallOptions, type EndedSample, RpcError } from '../../client/index.ts';
import type { ConsoleEvent, StepsEvent } from '../../console/events.ts';
import type { Engine } from '../engine.ts';
import { HttpError } from '../http-error.ts';
import { type ConsoleViewer, consoleFrame } from './console-viewer.ts';
import { StepFrames } from './step-frames.ts';

const MAX_VIEWERS = 64;
const SNAPSHOT_INTERVAL_MS = 500;
/** An engine that does not answer for so long is away. */
const ANSWER_TIMEOUT_MS = 3_000;
const RETRY_MS = 1_000;
/** Ended samples that a new viewer is told of. */
const MAX_ENDED = 64;

export interface ConsoleFeedOptions {
  readonly telemetry: Pick<Engine['telemetry'], 'servers' | 'snapshot' | 'watch'>;
  readonly model: string;
  readonly version: string;
}

/** One watch of the engine for all viewers of the console: it begins with the first and ends with the last. */
export class ConsoleFeed {
  readonly #options: ConsoleFeedOptions;
  readonly #viewers = new Set<ConsoleViewer>();
  readonly #frames = new StepFrames((event) => this.#sendSteps(event));
  #watching: AbortController | undefined;
  /** What a viewer needs that comes later: the engine as it was last, or that it is away. */
  #last: ConsoleEvent | undefined;
  #ended: readonly EndedSample[] = [];

  constructor(options: ConsoleFeedOptions) {
    this.#options = options;
  }

  /** Throws 503 where there are too many. */
  join(viewer: ConsoleViewer): void {
    if (this.#viewers.size >= MAX_VIEWERS) {
      throw new HttpError(503, `${MAX_VIEWERS} consoles are open, which is the most`);
    }
    this.#viewers.add(viewer);
    const { model, version } = this.#options;
    viewer.send(consoleFrame({ kind: 'hello', model, version, ended: this.#ended }));
    if (this.#last !== undefined) viewer.send(consoleFrame(this.#last));
    if (this.#watching !== undefined) return;
    this.#watching = new AbortController();
    void this.#watch(this.#watching.signal);
  }

  leave(viewer: ConsoleViewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    this.#watching?.abort();
    this.#watching = undefined;
    this.#frames.clear();
    this.#last = undefined;
    this.#ended = [];
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const attempt = new AbortController();
      try {
        await this.#follow(AbortSignal.any([signal, attempt.signal]));
      } catch (error) {
        this.#frames.clear();
        if (!signal.aborted) this.#send({ kind: 'away', message: RpcError.from(error).message });
      } finally {
        attempt.abort();
      }
      await pause(RETRY_MS, signal);
    }
  }

  /** Follows one engine until it fails. */
  async #follow(signal: AbortSignal): Promise<void> {
    const servers = await this.#options.telemetry.servers().catch(() => []);
    const serverId = servers.toSorted()[0];
    const call: CallOptions = { signal, ...(serverId !== undefined && { serverId }) };
    await Promise.all([this.#poll(call, servers.length), this.#readSteps(call)]);
  }

  async #poll(call: CallOptions, found: number): Promise<void> {
    const { telemetry } = this.#options;
    const signal = call.signal!;
    for (; !signal.aborted; await pause(SNAPSHOT_INTERVAL_MS, signal)) {
      const snapshot = await telemetry.snapshot({ ...call, timeoutMs: ANSWER_TIMEOUT_MS });
      this.#send({ kind: 'snapshot', snapshot, engines: Math.max(1, found) });
    }
  }

  async #readSteps(call: CallOptions): Promise<void> {
    for await (const record of this.#options.telemetry.watch(call)) this.#frames.take(record);
    throw new RpcError('UNAVAILABLE', 'the engine ended its stream of steps');
  }

  #sendSteps(event: StepsEvent): void {
    this.#ended = [...this.#ended, ...event.ended].slice(-MAX_ENDED);
    this.#sendToAll(event);
  }

  #send(event: ConsoleEvent): void {
    this.#last = event;
    this.#sendToAll(event);
  }

  #sendToAll(event: ConsoleEvent): void {
    const frame = consoleFrame(event);
    for (const viewer of this.#viewers) viewer.send(frame);
  }
}

/** Waits, unless there is no need any more. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
