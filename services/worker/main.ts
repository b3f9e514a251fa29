import { connectNats } from '../bus/nats-bus.ts';
import type { StepTimes } from '../cluster/step-times.ts';
import { ChipHost } from '../runtime/chip/chip-host.ts';
import { ChipMetrics } from '../runtime/metrics/chip-metrics.ts';
import { startMetricsServer } from '../runtime/metrics/metrics-server.ts';
import { connectionOf } from '../runtime/options/node-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import type { WorkerOptions } from '../runtime/options/worker-options.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';

exitWithParent();
await runWorker(parseProgram<WorkerOptions>('worker'));

async function runWorker(options: WorkerOptions): Promise<void> {
  const { rank, cluster, group, threads } = options;
  const name = `${cluster} chip ${group}.${rank}`;
  process.title = `sohu: chip ${group}.${rank}`;
  const metrics = new ChipMetrics({ group, rank });
  const server = await startMetricsServer({
    text: () => metrics.text(),
    host: options.metricsHost,
    port: options.metricsPort,
  });
  const bus = await connectNats({ ...connectionOf(options), name, noEcho: true });
  const metricsAddress = server.address;
  const onStep = (times: StepTimes): void => metrics.stepCompleted(times);
  const host = new ChipHost({ bus, cluster, group, rank, threads, metricsAddress, onStep });
  metrics.watch(host);
  host.start();
  console.log(`offers itself at ${options.nats}; metrics at ${metricsAddress}`);
  onStopSignal(async () => {
    console.log('stopping');
    await Promise.all([host.close(), server.close(), bus.close()]);
  });
}
