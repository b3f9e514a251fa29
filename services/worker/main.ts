import { Command } from 'commander';
import { connectNats } from '../bus/nats-bus.ts';
import type { StepTimes } from '../cluster/chip-meter.ts';
import { ChipHost } from '../runtime/chip/chip-host.ts';
import { ChipMetrics } from '../runtime/metrics/chip-metrics.ts';
import { startMetricsServer } from '../runtime/metrics/metrics-server.ts';
import { addNodeOptions, connectionOf, type NodeOptions } from '../runtime/options/node-options.ts';
import { wholeNumber } from '../runtime/options/option-values.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';

interface WorkerOptions extends NodeOptions {
  readonly rank: number;
  readonly threads: number;
}

exitWithParent();
const command = addNodeOptions(new Command('sohu-worker'))
  .description(
    'One simulated chip: holds a shard of the model and computes its part of every step.',
  )
  .requiredOption('--rank <number>', 'rank in the group', wholeNumber(0))
  .option('--threads <count>', 'threads for one large segment', wholeNumber(1), 1);
await runWorker(command.parse().opts<WorkerOptions>());

async function runWorker(options: WorkerOptions): Promise<void> {
  const { rank, cluster, group, threads } = options;
  const name = `${cluster} chip ${group}.${rank}`;
  process.title = `sohu: chip ${group}.${rank}`;
  const metrics = new ChipMetrics({ group, rank });
  const server = await startMetricsServer({
    registry: metrics.registry,
    host: options.metricsHost,
    port: options.metricsPort,
  });
  const bus = await connectNats({ ...connectionOf(options), name, noEcho: true });
  const metricsAddress = server.address;
  const onStep = (times: StepTimes): void => metrics.stepCompleted(times);
  const host = new ChipHost({ bus, cluster, group, rank, threads, metricsAddress, onStep });
  metrics.watch(host);
  host.start();
  onStopSignal(async () => {
    await Promise.all([host.close(), server.close(), bus.close()]);
  });
}
