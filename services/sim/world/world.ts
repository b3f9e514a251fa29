import type { Chip } from '../../cluster/chip.ts';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorOptions } from '../../cluster/coordinator-options.ts';
import type { ShardFrame } from '../../core/collectives/frame.ts';
import { ChipProcess } from './chip-process.ts';
import { CoordinatorProcess } from './coordinator-process.ts';
import type { JournalStore } from './journal-store.ts';
import type { MessageCodec } from './message-codec.ts';
import type { Network } from './network.ts';
import { PostOffice } from './post-office.ts';
import type { ShardSource } from './shard-source.ts';
import type { Timeline } from './timeline.ts';
import type { WorldObserver } from './world-observer.ts';

export interface WorldOptions {
  readonly timeline: Timeline;
  readonly coordinator: Omit<CoordinatorOptions, 'journal'>;
  /** Undefined lets requests end with their coordinator. */
  readonly journal?: JournalStore;
  /** Chips, each in a seat of its own. */
  readonly seats: number;
  /** Whether all processes have the same number, as those in containers have. */
  readonly isPidShared: boolean;
  readonly shards: ShardSource;
  /** Undefined lets messages travel as they are. */
  readonly codec: MessageCodec | undefined;
  readonly network: Network;
  readonly observer: WorldObserver;
  /** Changes frames on their way into a chip, to break what protects it. */
  readonly tamper?: ((frame: ShardFrame, chip: Chip) => ShardFrame) | undefined;
  /** Virtual time that a segment takes; drawn anew for each. */
  readonly computeMicros: () => number;
  /** Virtual time that loading a shard takes. */
  readonly loadMicros: () => number;
}

/**
 * The coordinator and the chips of one group, the classes that run live, in virtual time over a
 * virtual network. Nothing but the options decides what happens: equal options, equal course.
 */
export class World {
  readonly timeline: Timeline;
  /** May be exchanged at any time; holds for what is sent from then on. */
  network: Network;
  readonly #options: WorldOptions;
  readonly #post: PostOffice;
  readonly #seats: readonly number[];
  readonly #chips: ChipProcess[];
  #coordinator: CoordinatorProcess;
  #nextPid = 1;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.timeline = options.timeline;
    this.network = options.network;
    this.#seats = Array.from({ length: options.seats }, (_, seat) => seat);
    this.#post = new PostOffice({
      timeline: this.timeline,
      network: () => this.network,
      codec: options.codec,
      toChip: (seat, command) => this.#chips[seat]!.receiveCommand(command),
      frameToChip: (seat, decoded) => this.#chips[seat]!.receiveFrame(decoded),
      toCoordinator: (report) => this.#coordinator.receiveReport(report),
    });
    this.#coordinator = this.#makeCoordinator();
    this.#chips = this.#seats.map((seat) => this.#makeChip(seat));
  }

  get coordinator(): Coordinator {
    return this.#coordinator.coordinator;
  }

  /** Undefined while none runs. */
  get runningCoordinator(): Coordinator | undefined {
    return this.#coordinator.isRunning ? this.coordinator : undefined;
  }

  get chips(): readonly Chip[] {
    return this.#chips.map(({ chip }) => chip);
  }

  /** The process in a seat. */
  processOf(seat: number): ChipProcess {
    return this.#chips[seat]!;
  }

  /** Starts the coordinator and all chips. */
  start(): void {
    this.#coordinator.start();
    for (const chip of this.#chips) chip.start();
  }

  /** A chip ends. */
  crashChip(seat: number): void {
    this.#chips[seat]!.kill();
  }

  /** A chip starts anew, and has forgotten everything. */
  restartChip(seat: number): void {
    this.#chips[seat]!.kill();
    this.#chips[seat] = this.#makeChip(seat);
    this.#chips[seat].start();
  }

  /** The coordinator ends, and with it what its journal has not made durable. */
  crashCoordinator(): void {
    if (!this.#coordinator.isRunning) return;
    this.#coordinator.kill();
    this.#options.journal?.crash();
    this.#options.observer.coordinatorEnded?.();
  }

  restartCoordinator(): void {
    this.crashCoordinator();
    this.#coordinator = this.#makeCoordinator();
    this.#coordinator.start();
  }

  /** Ends all processes. */
  end(): void {
    this.#coordinator.kill();
    for (const chip of this.#chips) chip.kill();
  }

  #makeCoordinator(): CoordinatorProcess {
    const { coordinator, observer, journal } = this.#options;
    return new CoordinatorProcess({
      options: coordinator,
      journal,
      timeline: this.timeline,
      observer,
      command: (command) =>
        this.#post.sendCommand(command, { from: 'coordinator', to: this.#seats }),
    });
  }

  #makeChip(seat: number): ChipProcess {
    const { shards, observer, tamper, computeMicros, loadMicros, isPidShared } = this.#options;
    return new ChipProcess({
      seat,
      pid: isPidShared ? 1 : this.#nextPid++,
      timeline: this.timeline,
      shards,
      observer,
      tamper,
      computeMicros,
      loadMicros,
      report: (report) => this.#post.sendReport(report, seat),
      sendFrame: (frame, destination) => {
        const to =
          destination === 'all' ? this.#seats.filter((other) => other !== seat) : [destination];
        return this.#post.sendFrame(frame, { from: seat, to });
      },
    });
  }
}
