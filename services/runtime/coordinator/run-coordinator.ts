import { basename } from 'node:path';
import type { Bus } from '../../bus/bus.ts';
import { connectNats } from '../../bus/nats-bus.ts';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.ts';
import { resolveModel } from '../../checkpoint/resolve-model.ts';
import { openTokenizer } from '../../checkpoint/tokenizer-file.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { CoordinatorOptions } from '../../cluster/coordinator-options.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import { TokenGrammars } from '../../core/grammar/token-grammars.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import type { Health } from '../../rpc/health/health.ts';
import { serveHealth } from '../../rpc/health/health-service.ts';
import { GENERATE } from '../../rpc/inference-methods.ts';
import { type InferenceEngine, serveInference } from '../../rpc/inference-service.ts';
import { ProtoFiles } from '../../rpc/reflection/proto-files.ts';
import { serveReflection } from '../../rpc/reflection/reflection-service.ts';
import { RpcServer } from '../../rpc/server.ts';
import { serveTelemetry, type TelemetrySource } from '../../rpc/telemetry-service.ts';
import { startMetricsServer } from '../metrics/metrics-server.ts';
import type { CoordinatorProcessOptions } from '../options/coordinator-options.ts';
import { connectionOf, type NodeOptions } from '../options/node-options.ts';
import type { ServingOptions } from '../options/serving-options.ts';
import { packagePath, packageVersion } from '../package-info.ts';
import { onStopSignal } from '../process/on-stop-signal.ts';
import { EngineMonitor } from '../telemetry/engine-monitor.ts';
import { ClusterEngine } from './cluster-engine.ts';
import { CoordinatorHost } from './coordinator-host.ts';
import type { CoordinatorMessage } from './coordinator-messages.ts';
import { describeEvent } from './describe-event.ts';
import { makeBaselinePricers, makeDevicePricer } from './device-pricer.ts';
import { GroupHealth } from './group-health.ts';
import { schedulerOptions } from './scheduler-options.ts';

/** A process that is restarted is back and has its shard long before. */
const PATIENCE_MICROS = 120e6;

/** Runs a coordinator process: forms the group, then serves clients until it is told to stop. */
export async function runCoordinator(options: CoordinatorProcessOptions): Promise<void> {
  process.title = `sohu: coordinator ${options.group}`;
  const model = resolveModel(options.model, packagePath('models'));
  const config = readConfig(model);
  const tokenizer = openTokenizer({ file: options.tokenizer, modelPath: model, config });
  const scheduler = schedulerOptions(options, config);
  const { vocabSize, stopTokenIds: endTokenIds } = config;
  const grammars = new TokenGrammars({ tokenizer, vocabSize, endTokenIds });
  const modelName = basename(model);
  const priced = { ...options, config, modelName };
  const parts = { model, scheduler, vocabSize, grammars, pricer: makeDevicePricer(priced) };
  const groupHealth = new GroupHealth();
  const name = `${options.cluster} coordinator ${options.group}`;
  const bus = await connectNats({ ...connectionOf(options), name });
  const host = startHost(bus, options, parts, (event) => {
    monitor.observe(event);
    engine.observe(event);
    groupHealth.observe(event);
    tellParent(event, metricsServer.address);
    log(event);
  });
  const { coordinator } = host;
  const { maxModelLen } = scheduler;
  const monitor = new EngineMonitor({
    cluster: options.cluster,
    group: options.group,
    modelName,
    maxModelLen,
    serving: options,
    coordinator,
    baselines: makeBaselinePricers(priced),
    brokerMonitoringUrl: options.natsMonitoring,
  });
  const engine = new ClusterEngine({
    coordinator,
    config,
    tokenizer,
    grammars,
    modelName,
    precision: options.precision,
    tensorParallel: options.tp,
    maxModelLen,
    maxNumSeqs: options.maxNumSeqs,
    version: packageVersion(),
    observer: monitor,
  });
  const metricsServer = await startMetricsServer({
    text: () => monitor.metrics.text(),
    host: options.metricsHost,
    port: options.metricsPort,
  });
  const { health } = groupHealth;
  const server = startServer(bus, options, { engine, health, telemetry: monitor.telemetry });
  host.start();
  onStopSignal(async (drainMs) => {
    console.log(`stopping; open requests have ${drainMs} ms to finish`);
    await server.drain(GENERATE, drainMs);
    await server.stop();
    host.close();
    await Promise.all([metricsServer.close(), bus.close()]);
  });
}

function startServer(
  bus: Bus,
  { cluster, group }: NodeOptions,
  {
    engine,
    health,
    telemetry,
  }: {
    readonly engine: InferenceEngine;
    readonly health: Health;
    readonly telemetry: TelemetrySource;
  },
): RpcServer {
  // In containers of their own, coordinators may have the same pid.
  const serverId = `coordinator-${group}-${process.pid}`;
  const server = new RpcServer(bus, { cluster, serverId, version: packageVersion() });
  serveInference(server, engine);
  serveTelemetry(server, telemetry);
  serveHealth(server, health);
  serveReflection(server, new ProtoFiles(packagePath('proto')));
  return server;
}

function readConfig(model: string): ModelConfig {
  const checkpoint = openCheckpoint(model);
  checkpoint.close();
  return checkpoint.config;
}

function startHost(
  bus: Bus,
  options: NodeOptions & ServingOptions,
  {
    model,
    ...coordinator
  }: Pick<Required<CoordinatorOptions>, 'scheduler' | 'vocabSize' | 'pricer' | 'grammars'> & {
    readonly model: string;
  },
  onEvent: (event: CoordinatorEvent) => void,
): CoordinatorHost {
  const { precision, kvCacheDtype, blockSize, numGpuBlocksOverride } = options;
  const { maxNumBatchedTokens, maxNumSeqs } = options;
  const spec: GroupSpec = {
    model,
    precision,
    kvCacheDtype,
    tensorParallel: options.tp,
    blockSize,
    numGpuBlocksOverride,
    maxNumBatchedTokens,
    maxNumSeqs,
  };
  return new CoordinatorHost({
    bus,
    cluster: options.cluster,
    group: options.group,
    spec,
    ...coordinator,
    stepTimeoutMicros: options.stepTimeout * 1e6,
    patienceMicros: PATIENCE_MICROS,
    onEvent,
  });
}

/** A coordinator that nobody started, as in Compose, has nobody to tell. */
function tellParent(event: CoordinatorEvent, metricsAddress: string): void {
  let message: CoordinatorMessage | undefined;
  if (event.kind === 'loading') message = event;
  if (event.kind === 'ready') message = { kind: 'ready', kvBlocks: event.kvBlocks, metricsAddress };
  if (event.kind === 'refused') message = { kind: 'refused', message: event.message };
  if (message !== undefined) process.send?.(message);
}

function log(event: CoordinatorEvent): void {
  const line = describeEvent(event);
  if (line !== undefined) console.log(line);
}
