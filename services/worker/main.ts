import { Command, InvalidArgumentError as InvalidOptionError } from 'commander';
import type { Bus } from '../bus/bus.ts';
import { connectNats } from '../bus/nats-bus.ts';
import type { StepTimes } from '../cluster/step-times.ts';
import { ChipHost } from '../runtime/chip/chip-host.ts';
import { CommandFeed } from '../runtime/chip/command-feed.ts';
import { ChipMetrics } from '../runtime/metrics/chip-metrics.ts';
import { startMetricsServer } from '../runtime/metrics/metrics-server.ts';
import { addNodeOptions, type NodeOptions } from '../runtime/options/node-options.ts';
import { wholeNumber } from '../runtime/options/option-values.ts';
import { exitWithParent } from '../runtime/process/exit-with-parent.ts';
import { onStopSignal } from '../runtime/process/on-stop-signal.ts';
import { GroupSubjects } from '../wire/subjects.ts';

interface WorkerOptions extends NodeOptions {
  /** Several share the process and its connection, which is for chips that only exchange in a ring. */
  readonly rank: readonly number[];
  readonly threads: number;
}

interface RunningChip {
  close(): Promise<void>;
}

exitWithParent();
const command = addNodeOptions(new Command('sohu-worker'))
  .description(
    'One simulated chip: holds a shard of the model and computes its part of every step.',
  )
  .requiredOption(
    '--rank <numbers>',
    'rank in the group; ranks with commas for several phantoms',
    ranks,
  )
  .option('--threads <count>', 'threads for one large segment', wholeNumber(1), 1);
await runWorker(command.parse().opts<WorkerOptions>());

async function runWorker(options: WorkerOptions): Promise<void> {
  const { rank: all, cluster, group } = options;
  const name = `${cluster} chip ${group}.${all.join(',')}`;
  process.title = `sohu: chip ${group}.${all.join(',')}`;
  // Alone, a chip need not hear what it tells all others.
  const bus = await connectNats({ servers: options.nats, name, noEcho: all.length === 1 });
  const commands = new CommandFeed(bus, new GroupSubjects(cluster, group).command);
  const chips = await Promise.all(all.map((rank) => runChip({ ...options, bus, commands, rank })));
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
    readonly rank: number;
  },
): Promise<RunningChip> {
  const { bus, commands, rank, cluster, group, threads } = options;
  const metrics = new ChipMetrics({ group, rank });
  const server = await startMetricsServer({
    text: () => metrics.text(),
    host: options.metricsHost,
    port: options.metricsPort,
  });
  const metricsAddress = server.address;
  const onStep = (times: StepTimes): void => metrics.stepCompleted(times);
  const place = { bus, commands, cluster, group, rank };
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

function ranks(text: string): readonly number[] {
  const parts = text.split(',').map(wholeNumber(0));
  if (new Set(parts).size === parts.length) return parts;
  throw new InvalidOptionError('It must name each rank once.');
}
