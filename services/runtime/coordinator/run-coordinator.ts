import type { Bus } from '../../bus/bus.ts';
import { connectNats } from '../../bus/nats-bus.ts';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import { TokenGrammars } from '../../core/grammar/token-grammars.ts';
import type { Health } from '../../rpc/health/health.ts';
import { serveHealth } from '../../rpc/health/health-service.ts';
import { GENERATE } from '../../rpc/inference-methods.ts';
import { type InferenceEngine, serveInference } from '../../rpc/inference-service.ts';
import { ProtoFiles } from '../../rpc/reflection/proto-files.ts';
import { serveReflection } from '../../rpc/reflection/reflection-service.ts';
import { RpcServer } from '../../rpc/server.ts';
import { serveTelemetry, type TelemetrySource } from '../../rpc/telemetry-service.ts';
import { planRequests } from '../../sim/capacity/workload.ts';
import { openServedGroup } from '../cluster/served-group.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import { PaceWatch } from '../load/pace-watch.ts';
import { startMetricsServer } from '../metrics/metrics-server.ts';
import type { CoordinatorProcessOptions } from '../options/coordinator-options.ts';
import { type DrawnWorkloadOptions, drawnWorkload } from '../options/drawn-workload-options.ts';
import { connectionOf, type NodeOptions } from '../options/node-options.ts';
import { resolveServing } from '../options/resolve-serving.ts';
import { packagePath, packageVersion } from '../package-info.ts';
import { onStopSignal } from '../process/on-stop-signal.ts';
import { hostMicros } from '../support/host-clock.ts';
import { EngineMonitor } from '../telemetry/engine-monitor.ts';
import { ClusterEngine } from './cluster-engine.ts';
import { CoordinatorHost } from './coordinator-host.ts';
import type { CoordinatorMessage } from './coordinator-messages.ts';
import { describeEvent } from './describe-event.ts';
import { GroupHealth } from './group-health.ts';
import { schedulerOptions } from './scheduler-options.ts';

/** A process that is restarted is back and has its shard long before. */
const PATIENCE_MICROS = 120e6;

/** Runs a coordinator process: forms the group, then serves clients until it is told to stop. */
export async function runCoordinator(options: CoordinatorProcessOptions): Promise<void> {
  process.title = `sohu: coordinator ${options.group}`;
  const serving = resolveServing(options);
  const group = openServedGroup(serving);
  const { vocabSize, stopTokenIds: endTokenIds } = group.config;
  const grammars = new TokenGrammars({ tokenizer: group.tokenizer, vocabSize, endTokenIds });
  const groupHealth = new GroupHealth();
  const name = `${options.cluster} coordinator ${options.group}`;
  const bus = await connectNats({ ...connectionOf(options), name });
  const scheduler = schedulerOptions(serving, group.config);
  const { maxModelLen } = scheduler;
  const host = new CoordinatorHost({
    ...{ bus, cluster: options.cluster, group: options.group },
    ...{ spec: group.spec, scheduler, pricer: group.pricer, vocabSize, grammars },
    speed: serving.phantom?.speed ?? 0,
    stepTimeoutMicros: options.stepTimeout * 1e6,
    patienceMicros: PATIENCE_MICROS,
    onEvent: (event) => {
      monitor.observe(event);
      engine.observe(event);
      groupHealth.observe(event);
      load?.observe(event);
      tellParent(messageOf(event, metricsServer.address));
      log(event);
    },
  });
  const { coordinator } = host;
  const load = options.offerLoad && offerLoad(coordinator, options);
  const monitor = new EngineMonitor({
    ...{ cluster: options.cluster, group: options.group, modelName: group.modelName },
    ...{ maxModelLen, serving, coordinator },
    ...{ chip: group.chip, kvFormat: group.kvFormat, baselines: group.baselines },
    brokerMonitoringUrls: options.natsMonitoring,
  });
  const engine = new ClusterEngine({
    ...{ coordinator, group, grammars, maxModelLen },
    phantom: serving.phantom,
    version: packageVersion(),
    observer: monitor,
  });
  const metricsServer = await startMetricsServer({
    text: () => monitor.metrics.text(),
    host: options.metricsHost,
    port: options.metricsPort,
  });
  const watch = new PaceWatch(coordinator, (told) => tellParent({ kind: 'pace', pace: told }));
  const { health } = groupHealth;
  const server = startServer(bus, options, { engine, health, telemetry: monitor.telemetry });
  host.start();
  onStopSignal(async (drainMs) => {
    console.log(`stopping; open requests have ${drainMs} ms to finish`);
    load?.close();
    await server.drain(GENERATE, drainMs);
    watch.close();
    await server.stop();
    host.close();
    await Promise.all([metricsServer.close(), bus.close()]);
  }, options.shutdownTimeout * 1e3);
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

function offerLoad(coordinator: Coordinator, options: DrawnWorkloadOptions): LoadGenerator {
  return new LoadGenerator({
    coordinator,
    requests: planRequests(drawnWorkload(options)),
    nowMicros: hostMicros,
    done: (report) => tellParent({ kind: 'load', report }),
  });
}

function messageOf(
  event: CoordinatorEvent,
  metricsAddress: string,
): CoordinatorMessage | undefined {
  if (event.kind === 'loading') return event;
  if (event.kind === 'ready') return { kind: 'ready', kvBlocks: event.kvBlocks, metricsAddress };
  return event.kind === 'refused' ? { kind: 'refused', message: event.message } : undefined;
}

/** A coordinator that nobody started, as in Compose, has nobody to tell. */
function tellParent(message: CoordinatorMessage | undefined): void {
  if (message !== undefined) process.send?.(message);
}

function log(event: CoordinatorEvent): void {
  const line = describeEvent(event);
  if (line !== undefined) console.log(line);
}
