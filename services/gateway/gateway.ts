import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { AccessControl } from './access/access-control.ts';
import { type ApiKey, ApiKeys } from './access/api-keys.ts';
import type { Engine } from './engine.ts';
import { EngineWatch } from './engine-watch.ts';
import { makeApp } from './gateway-app.ts';
import { GatewayConfig, type GatewaySettings } from './gateway-config.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { OpenRequests } from './open-requests.ts';
import type { ServedModel } from './served-model.ts';

/** Less than what a process is given to stop. */
const CLOSE_GRACE_MS = 1_500;

export interface GatewayParts {
  readonly engine: Engine;
  readonly model: ServedModel;
  readonly keys: readonly ApiKey[];
  readonly settings: GatewaySettings;
  readonly maxBodyBytes: number;
  /** A clock that does not go back, in ms. */
  readonly nowMs: () => number;
}

/** Serves an engine over HTTP as OpenAI's clients and vLLM's know it. */
export class Gateway {
  /** For requests without a socket. */
  readonly app: FastifyInstance;
  readonly metrics = new GatewayMetrics();
  readonly #requests: OpenRequests;

  constructor({ engine, model, keys, settings, maxBodyBytes, nowMs }: GatewayParts) {
    const config = new GatewayConfig(settings, () => access.resetLimits());
    const limits = () => ({
      requestsPerMinute: config.settings.requests_per_minute ?? undefined,
      tokensPerMinute: config.settings.tokens_per_minute ?? undefined,
    });
    const access = new AccessControl(new ApiKeys(keys), limits, nowMs);
    this.#requests = new OpenRequests(() => config.settings.max_open_prompts);
    this.metrics.watch(this.#requests);
    this.app = makeApp(
      {
        engine,
        model,
        access,
        config,
        watch: new EngineWatch(engine),
        requests: this.#requests,
        metrics: this.metrics,
      },
      { maxBodyBytes },
    );
  }

  /** Listens, and returns the base URL; port 0 takes a free one. */
  async listen(place: { readonly host: string; readonly port: number }): Promise<string> {
    await this.app.listen(place);
    const [{ port }] = this.app.addresses() as [AddressInfo];
    const host = place.host.includes(':') ? `[${place.host}]` : place.host;
    return `http://${host}:${port}`;
  }

  /**
   * Takes no more requests, lets the open ones finish for `drainMs`, and ends every one with an
   * answer, then the server; who does not read it is cut off.
   */
  async close(drainMs = 0): Promise<void> {
    const wait = new AbortController();
    const { signal } = wait;
    const limit = delay(drainMs + CLOSE_GRACE_MS, undefined, { signal }).catch(() => {});
    await Promise.race([this.#requests.close(drainMs), limit]);
    wait.abort();
    await this.app.close();
  }
}
