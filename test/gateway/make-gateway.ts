import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Engine } from '../../services/gateway/engine.ts';
import { Gateway, type GatewayParts } from '../../services/gateway/gateway.ts';
import type { GatewaySettings } from '../../services/gateway/gateway-config.ts';
import { openServedModel } from '../../services/gateway/served-model.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';

export const SETTINGS: GatewaySettings = {
  slow_reader_timeout: 30,
  max_open_requests: 256,
  requests_per_minute: null,
  tokens_per_minute: null,
};

const MODEL = openServedModel({
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

/** Sends JSON to a gateway without a socket. */
export async function post(
  { app }: Gateway,
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string; json: () => any; headers: Record<string, unknown> }> {
  const response = await app.inject({ method: 'POST', url, payload: body, headers });
  return {
    status: response.statusCode,
    body: response.body,
    json: () => response.json(),
    headers: response.headers,
  };
}
