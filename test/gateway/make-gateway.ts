import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Engine } from '../../services/gateway/engine.ts';
import { Gateway, type GatewayParts } from '../../services/gateway/gateway.ts';
import type { GatewaySettings } from '../../services/gateway/gateway-config.ts';
import { openServedModel } from '../../services/gateway/served-model.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';

export const SETTINGS: GatewaySettings = {
  slow_reader_timeout: 30,
  max_open_prompts: 256,
  requests_per_minute: null,
  tokens_per_minute: null,
};

export const MODEL = openServedModel({
  modelPath: join(BUNDLED_MODELS, 'tinystories-5m'),
  tokenizer: undefined,
  servedName: undefined,
});

/** A gateway with the bundled model's tokenizer before an engine, for the length of one test. */
export function makeGateway(
  t: TestContext,
  engine: Engine,
  parts: Partial<Omit<GatewayParts, 'engine'>> = {},
): Gateway {
  const gateway = new Gateway({
    engine,
    model: MODEL,
    keys: [],
    settings: SETTINGS,
    maxBodyBytes: 64 * 1024,
    nowMs: () => performance.now(),
    ...parts,
  });
  t.after(() => gateway.close());
  return gateway;
}

/** The same, listening at a free port; the base URL is beside it. */
export async function startGateway(
  t: TestContext,
  engine: Engine,
  parts: Partial<Omit<GatewayParts, 'engine'>> = {},
): Promise<{ readonly gateway: Gateway; readonly url: string }> {
  const gateway = makeGateway(t, engine, parts);
  return { gateway, url: await gateway.listen({ host: '127.0.0.1', port: 0 }) };
}

/** What a gateway answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Sends JSON to a gateway without a socket. */
export async function post(
  { app }: Gateway,
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await app.inject({ method: 'POST', url, payload: body, headers });
  return { status: response.statusCode, body: response.body, headers: response.headers };
}

/** Asks a gateway without a socket. */
export async function get(
  { app }: Gateway,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await app.inject({ method: 'GET', url, headers });
  return { status: response.statusCode, body: response.body, headers: response.headers };
}

/** The error of an answer, and its status once more. */
export function errorOf({ status, body }: Answer): {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: number;
} {
  return { status, ...JSON.parse(body).error };
}
