import { resolveModel } from '../checkpoint/resolve-model.ts';
import { SohuClient } from '../client/index.ts';
import type { GatewayMessage } from '../runtime/cluster/gateway-messages.ts';
import { checkExposure, type GatewayOptions } from '../runtime/options/gateway-options.ts';
import { packagePath } from '../runtime/package-info.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';
import { readApiKeys } from './access/read-api-keys.ts';
import { Gateway } from './gateway.ts';
import { MAX_OPEN_PROMPTS } from './gateway-config.ts';
import type { GatewayProcessOptions } from './gateway-process-options.ts';
import { openServedModel } from './served-model.ts';

const DEFAULT_OPEN_PROMPTS = 1024;
/** For questions beside prompts, such as that of a health check. */
const SPARE_CALLS = 64;

/** Runs a gateway process: listens at once, and serves as soon as the cluster does. */
export async function runGateway(options: GatewayProcessOptions): Promise<void> {
  process.title = 'sohu: gateway';
  const { gateway, client } = await makeGateway(options);
  const { host, port } = options;
  try {
    tellParent({ kind: 'listening', url: await gateway.listen({ host, port }) });
  } catch (error) {
    await client.close();
    tellParent({ kind: 'refused', message: `HTTP cannot be served: ${describe(error, options)}` });
    process.exitCode = 1;
    return;
  }
  onStopSignal(async () => {
    await gateway.close();
    await client.close();
  });
}

async function makeGateway(
  options: GatewayProcessOptions,
): Promise<{ gateway: Gateway; client: SohuClient }> {
  checkExposure(options);
  const keys = readApiKeys(options);
  const model = openServedModel({
    modelPath: resolveModel(options.model, packagePath('models')),
    tokenizer: options.tokenizer,
    servedName: options.servedModelName,
  });
  const client = await SohuClient.connect(options.nats, {
    cluster: options.cluster,
    maxOpenCalls: MAX_OPEN_PROMPTS + SPARE_CALLS,
  });
  const gateway = new Gateway({
    engine: client,
    model,
    keys,
    settings: {
      slow_reader_timeout: options.slowReaderTimeout,
      max_open_prompts: DEFAULT_OPEN_PROMPTS,
      requests_per_minute: options.requestsPerMinute ?? null,
      tokens_per_minute: options.tokensPerMinute ?? null,
    },
    maxBodyBytes: options.maxBodyBytes,
    nowMs: () => performance.now(),
  });
  return { gateway, client };
}

function describe(error: unknown, { host, port }: GatewayOptions): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `port ${port} of ${host} is taken; --port names another, and --port 0 takes a free one`;
  }
  return message;
}

/** A gateway that nobody started, as in Compose, has nobody to tell: there it logs. */
function tellParent(message: GatewayMessage): void {
  if (process.send !== undefined) process.send(message);
  else console.error(JSON.stringify(message));
}
