import { resolveModel } from '../checkpoint/resolve-model.ts';
import { SohuClient } from '../client/index.ts';
import { ModelError } from '../core/support/errors.ts';
import type { GatewayMessage } from '../runtime/cluster/gateway-messages.ts';
import { checkExposure } from '../runtime/options/gateway-options.ts';
import type { GatewayProcessOptions } from '../runtime/options/gateway-process-options.ts';
import { packagePath } from '../runtime/package-info.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';
import { readApiKeys } from './access/read-api-keys.ts';
import { Gateway } from './gateway.ts';
import { type GatewaySettings, MAX_OPEN_PROMPTS } from './gateway-config.ts';
import { openServedModel, openServedPhantom, type ServedModel } from './served-model.ts';
import { startSpanExport } from './span-export.ts';

const DEFAULT_OPEN_PROMPTS = 1024;
/** For questions beside prompts, such as that of a health check. */
const SPARE_CALLS = 64;

/** Runs a gateway process: listens at once, and serves as soon as the cluster does. */
export async function runGateway(options: GatewayProcessOptions): Promise<void> {
  process.title = 'sohu: gateway';
  checkExposure(options);
  const keys = readApiKeys(options);
  const model = tryOpenModel(options);
  if (model === undefined) return;
  const client = await SohuClient.connect(options.nats, {
    cluster: options.cluster,
    nkeyFile: options.natsNkeyFile,
    maxOpenCalls: MAX_OPEN_PROMPTS + SPARE_CALLS,
    // Clients are told when to come back, and do so by themselves.
    retry: false,
    // What they have received of a stream they cannot give back: it pauses.
    resume: {},
  });
  const spans = await startSpanExport(process.env);
  const gateway = new Gateway({
    engine: spans?.trace(client, model.name) ?? client,
    model,
    keys,
    settings: settingsOf(options),
    maxBodyBytes: options.maxBodyBytes,
    nowMs: () => performance.now(),
  });
  if (await tryListen(gateway, options)) {
    onStopSignal(async (drainMs) => {
      console.log(`stopping; open requests have ${drainMs} ms to finish`);
      await gateway.close(drainMs);
      await Promise.all([client.close(), spans?.close()]);
    }, options.shutdownTimeout * 1e3);
  } else {
    await Promise.all([client.close(), spans?.close()]);
  }
}

/** Undefined after refusing the model. */
function tryOpenModel(options: GatewayProcessOptions): ServedModel | undefined {
  const { tokenizer, servedModelName: servedName } = options;
  try {
    if (options.weights === 'phantom') return openServedPhantom({ ...options, servedName });
    const modelPath = resolveModel(options.model, packagePath('models'));
    return openServedModel({ modelPath, tokenizer, servedName });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    refuse('model', error.message);
    return undefined;
  }
}

/** False after refusing the address. */
async function tryListen(gateway: Gateway, options: GatewayProcessOptions): Promise<boolean> {
  const { host, port } = options;
  try {
    tellParent({ kind: 'listening', url: await gateway.listen({ host, port }) });
    return true;
  } catch (error) {
    refuse('address', `HTTP cannot be served: ${describe(error, options)}`);
    return false;
  }
}

function settingsOf(options: GatewayProcessOptions): GatewaySettings {
  return {
    slow_reader_timeout: options.slowReaderTimeout,
    max_open_prompts: DEFAULT_OPEN_PROMPTS,
    requests_per_minute: options.requestsPerMinute ?? null,
    tokens_per_minute: options.tokensPerMinute ?? null,
  };
}

function describe(error: unknown, { host, port }: GatewayProcessOptions): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') return message;
  return `port ${port} of ${host} is taken; --port names another, and --port 0 takes a free one`;
}

function refuse(reason: 'address' | 'model', message: string): void {
  process.exitCode = 1;
  tellParent({ kind: 'refused', reason, message });
}

/** A gateway that nobody started, as in Compose, has nobody to tell: there it only logs. */
function tellParent(message: GatewayMessage): void {
  process.send?.(message);
  if (message.kind === 'listening') console.log(`listening at ${message.url}`);
  else console.error(message.message);
}
