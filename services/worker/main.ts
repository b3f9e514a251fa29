import type { Bus } from '../bus/bus.ts';
import { connectNats } from '../bus/nats-bus.ts';
import type { StepTimes } from '../cluster/step-times.ts';
import { ChipHost } from '../runtime/chip/chip-host.ts';
import { CommandFeed } from '../runtime/chip/command-feed.ts';
import { LocalLinks } from '../runtime/chip/local-links.ts';
import { ChipMetrics } from '../runtime/metrics/chip-metrics.ts';
import { startMetricsServer } from '../runtime/metrics/metrics-server.ts';
import { connectionOf } from '../runtime/options/node-options.ts';
import { parseProgram } from '../runtime/options/settings.ts';
import type { WorkerOptions } from '../runtime/options/worker-options.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';
import { runProgram } from '../runtime/process/run-program.ts';
import { GroupSubjects } from '../wire/subjects.ts';

interface RunningChip {
  close(): Promise<void>;
}

await runProgram(() => runWorker(parseProgram<WorkerOptions>('worker')));

async function runWorker(options: WorkerOptions): Promise<void> {
  const { rank: all, cluster, group } = options;
  const name = `${cluster} chip ${group}.${all.join(',')}`;
  process.title = `sohu: chip ${group}.${all.join(',')}`;
  // Alone, a chip need not hear what it tells all others.
  const bus = await connectNats({ ...connectionOf(options), name, noEcho: all.length === 1 });
  const commands = new CommandFeed(bus, new GroupSubjects(cluster, group).command);
  const shared = { bus, commands, links: new LocalLinks() };
  const chips = await Promise.all(all.map((rank) => runChip({ ...options, ...shared, rank })));
  onStopSignal(async () => {
    console.log('stopping');
    await Promise.all(chips.map((chip) => chip.close()));
    await bus.close();
  });
}

async function runChip(
  options: Omit<WorkerOptions, 'rank'> & {
    readonly bus: Bus;
    readonly commands: CommandFeed;
    readonly links: LocalLinks;
    readonly rank: number;
  },
): Promise<RunningChip> {
  const { bus, commands, links, rank, cluster, group, threads } = options;
  const metrics = new ChipMetrics({ group, rank });
  const server = await startMetricsServer({
    text: () => metrics.text(),
    host: options.metricsHost,
    port: options.metricsPort,
  });
  const metricsAddress = server.address;
  const onStep = (times: StepTimes): void => metrics.stepCompleted(times);
  const place = { bus, commands, links, cluster, group, rank };
  const host = new ChipHost({ ...place, threads, metricsAddress, onStep });
  metrics.watch(host);
  host.start();
  console.log(`offers itself at ${options.nats}; metrics at ${metricsAddress}`);
  return {
    close: async () => {
      await Promise.all([host.close(), server.close()]);
    },
  };
}
