import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterSnapshot, RpcError, SohuClient } from '../../client/index.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { ClusterPlace } from '../serve/cluster-place.ts';
import { askEngines } from '../smi/ask-engines.ts';
import { type History, NO_HISTORY, withSnapshot } from './history.ts';
import { RequestLog } from './request-log.ts';
import type { TopState } from './top-state.ts';

export interface ClusterFeedOptions {
  /** Where the cluster is now: asked again for every connection, as one that restarts has another place. */
  readonly findPlace: () => ClusterPlace;
  /** The engine's name; the first by name where undefined. */
  readonly engine: string | undefined;
  readonly intervalMs: number;
  /** Called when there is something new to show. */
  readonly onChange: () => void;
}

const ANSWER_TIMEOUT_MS = 2_000;
const RETRY_MS = 500;

/** Follows an engine, through restarts, and keeps what is known of it. */
export class ClusterFeed {
  readonly #options: ClusterFeedOptions;
  readonly #log = new RequestLog();
  #snapshot: ClusterSnapshot | undefined;
  #engines = 0;
  #history: History = NO_HISTORY;
  #trouble: string | undefined;

  constructor(options: ClusterFeedOptions) {
    this.#options = options;
  }

  get state(): TopState {
    return {
      snapshot: this.#snapshot,
      engines: this.#engines,
      history: this.#history,
      requests: this.#log.rows(this.#snapshot?.load.blockSize ?? 1),
      trouble: this.#trouble,
      nowMs: this.#snapshot?.timestampMs ?? 0,
    };
  }

  /** Resolves with the first answer; rejects where there is none, or no such engine. */
  async start(signal: AbortSignal): Promise<() => Promise<void>> {
    const connection = await this.#connect(signal);
    return () => this.#follow(connection, signal);
  }

  /** Until the signal fires: what breaks is connected anew. */
  async #follow(first: Connection, signal: AbortSignal): Promise<void> {
    let connection: Connection | undefined = first;
    while (!signal.aborted) {
      try {
        connection ??= await this.#connect(signal);
        await this.#read(connection, signal);
      } catch {
        if (!signal.aborted) this.#lose();
      }
      await connection?.client.close();
      connection = undefined;
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { natsUrl, ...place } = this.#options.findPlace();
    const client = await SohuClient.connect(natsUrl, { ...place, retry: false });
    try {
      const engines = await askEngines(client, signal);
      const snapshot = chooseEngine(
        engines.map((it) => it.snapshot),
        this.#options.engine,
      );
      this.#engines = engines.length;
      this.#log.clear();
      this.#take(snapshot);
      const serverId = engines.find((it) => it.snapshot === snapshot)?.serverId;
      return { client, server: serverId === undefined ? {} : { serverId } };
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Polls and watches until either fails. */
  async #read({ client, server }: Connection, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const reading = [this.#poll(client, server, both), this.#watch(client, server, both)];
    try {
      await Promise.race(reading);
    } finally {
      over.abort();
      await Promise.allSettled(reading);
    }
  }

  async #poll(client: SohuClient, server: Server, signal: AbortSignal): Promise<void> {
    const { intervalMs } = this.#options;
    for (;;) {
      await delay(intervalMs, undefined, { signal });
      const options = { ...server, signal, timeoutMs: ANSWER_TIMEOUT_MS };
      this.#take(await client.telemetry.snapshot(options));
    }
  }

  async #watch(client: SohuClient, server: Server, signal: AbortSignal): Promise<void> {
    for await (const record of client.telemetry.watch({ ...server, signal })) {
      this.#log.take(record);
    }
    throw new RpcError('UNAVAILABLE', 'the engine ended');
  }

  #take(snapshot: ClusterSnapshot): void {
    // Ends are told with the next step, which an idle engine does not have.
    if (snapshot.load.running + snapshot.load.waiting === 0) this.#log.clear();
    this.#snapshot = snapshot;
    this.#history = withSnapshot(this.#history, snapshot);
    this.#trouble = undefined;
    this.#options.onChange();
  }

  #lose(): void {
    this.#log.clear();
    this.#trouble = 'no answer, trying again';
    this.#options.onChange();
  }
}

interface Server {
  readonly serverId?: string;
}

interface Connection {
  readonly client: SohuClient;
  readonly server: Server;
}

/** Throws an InvalidArgumentError where there is no engine of that name. */
function chooseEngine(
  engines: readonly ClusterSnapshot[],
  wanted: string | undefined,
): ClusterSnapshot {
  const found = engines.find(({ engine }) => wanted === undefined || engine === wanted);
  if (found !== undefined) return found;
  const names = engines.map(({ engine }) => engine).join(', ');
  throw new InvalidArgumentError(`engine must be one of ${names}, not ${JSON.stringify(wanted)}`);
}
