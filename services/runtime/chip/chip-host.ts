import type { Bus, Subscription } from '../../bus/bus.ts';
import { Chip } from '../../cluster/chip.ts';
import type { ChipEffects, LoadedShard } from '../../cluster/chip-effects.ts';
import type { GroupSpec, Report } from '../../cluster/messages.ts';
import type { StepTimes } from '../../cluster/step-times.ts';
import type { Destination, ShardFrame } from '../../core/collectives/frame.ts';
import { decodeFrame, encodeFrame } from '../../wire/frame-codec.ts';
import { encodeReport } from '../../wire/report-codec.ts';
import { GroupSubjects } from '../../wire/subjects.ts';
import { loadPhantom } from '../phantom/load-phantom.ts';
import { hostMicros } from '../support/host-clock.ts';
import { CommandFeed } from './command-feed.ts';
import { ComputePool } from './compute-pool.ts';
import type { LocalLinks } from './local-links.ts';
import { loadShard } from './shard-loading.ts';

export interface ChipHostOptions {
  readonly bus: Bus;
  readonly cluster: string;
  readonly group: string;
  /** The seat of the chip; its rank too, where no chip of the group is replaced. */
  readonly rank: number;
  /** Threads that may execute one large segment. */
  readonly threads: number;
  /** host:port; empty where the chip serves no metrics. */
  readonly metricsAddress: string;
  /** The group's commands, which chips of one process share; absent, the chip has its own. */
  readonly commands?: CommandFeed;
  /** What joins chips of one process; absent, all frames go over the bus. */
  readonly links?: LocalLinks;
  /** Called with what every complete step took. */
  readonly onStep: (times: StepTimes) => void;
}

/** Runs a chip's state machine on a bus, Node's timers and a compute pool. */
export class ChipHost {
  readonly chip: Chip;
  readonly #options: ChipHostOptions;
  readonly #subjects: GroupSubjects;
  readonly #commands: CommandFeed;
  readonly #subscriptions: Subscription[] = [];
  #pool: ComputePool | undefined;
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: ChipHostOptions) {
    this.#options = options;
    this.#subjects = new GroupSubjects(options.cluster, options.group);
    const { bus, rank, metricsAddress } = options;
    this.#commands = options.commands ?? new CommandFeed(bus, this.#subjects.command);
    this.chip = new Chip({ seat: rank, pid: process.pid, metricsAddress }, this.#effects());
  }

  /** What this chip holds, once it is loaded. */
  get loaded(): LoadedShard | undefined {
    return this.chip.loaded;
  }

  /** Subscribes, and offers the chip to its group. */
  start(): void {
    const { bus, rank, links } = this.#options;
    this.#subscriptions.push(
      this.#commands.subscribe((command) => this.chip.receiveCommand(command)),
    );
    if (links !== undefined) {
      this.#subscriptions.push(links.attach(rank, (frame) => this.#receiveLocal(frame)));
    }
    for (const destination of [rank, 'all'] as const) {
      const subject = this.#subjects.transfersTo(destination);
      this.#subscriptions.push(bus.subscribe(subject, ({ data }) => this.#receive(data)));
    }
    this.chip.tick();
  }

  /** Hears nothing from now on, so that it sends nothing on a bus that closes. */
  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    clearTimeout(this.#ticker);
    await this.#pool?.close();
  }

  #receive(data: Uint8Array): void {
    this.chip.meter.received(data.length);
    const decoded = decodeFrame(data);
    if (decoded.kind === 'frame') this.chip.receiveFrame(decoded.frame);
    else this.chip.meter.dropped(decoded.kind);
  }

  #receiveLocal(frame: ShardFrame): void {
    this.chip.meter.received(frame.payload.length);
    this.chip.receiveFrame(frame);
  }

  /** Returns the bytes that went out. */
  #send(frame: ShardFrame, seat: Destination): number {
    const { bus, rank, links } = this.#options;
    if (seat !== 'all' && links?.send(frame, seat)) return frame.payload.length;
    const data = encodeFrame(frame);
    bus.publish(this.#subjects.transfer(seat, rank), data);
    return data.length;
  }

  #effects(): ChipEffects {
    return {
      report: (report) => this.#report(report),
      sendFrame: (frame, seat) => this.#send(frame, seat),
      load: (spec, shard) => void this.#load(spec, shard),
      compute: (work) => this.#pool!.run(work, () => this.chip.computed()),
      setTick: (delayMicros) => {
        this.#ticker = setTimeout(() => this.chip.tick(), delayMicros / 1000);
      },
      nowMicros: hostMicros,
    };
  }

  #report(report: Report): void {
    const { bus, rank, onStep } = this.#options;
    bus.publish(this.#subjects.report(rank), encodeReport(report));
    const { lastStep } = this.chip.meter;
    if (report.kind === 'report' && lastStep !== undefined) onStep(lastStep);
  }

  async #load(spec: GroupSpec, rank: number): Promise<void> {
    const { threads } = this.#options;
    try {
      await this.#pool?.close();
      this.#pool = undefined;
      const { phantom } = spec;
      if (phantom !== undefined) {
        this.chip.shardLoaded(loadPhantom({ ...spec, phantom }, rank));
        return;
      }
      const { loaded, memory } = await loadShard({
        spec,
        rank,
        threads,
        onProgress: (done, total) => this.chip.shardLoading(done, total),
      });
      this.#pool = new ComputePool({ layout: loaded.shard.layout, memory }, threads);
      this.chip.shardLoaded(loaded);
    } catch (error) {
      this.chip.shardRefused(error instanceof Error ? error.message : String(error));
    }
  }
}
