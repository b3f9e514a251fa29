import type { Chip } from '../../cluster/chip.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { Command, Report } from '../../cluster/messages.ts';
import type { ShardFrame } from '../../core/collectives/frame.ts';
import { Random } from '../random.ts';
import { Clients } from './clients.ts';
import { FaultInjector } from './fault-injector.ts';
import { FaultyNetwork } from './faulty-network.ts';
import { Bounds } from './invariants/bounds.ts';
import { Clock } from './invariants/clock.ts';
import { EqualActivations } from './invariants/equal-activations.ts';
import { type Invariant, require } from './invariants/invariant.ts';
import { KvBlocks } from './invariants/kv-blocks.ts';
import { RequestStates } from './invariants/request-states.ts';
import { WorkConservation } from './invariants/work-conservation.ts';
import { type JournalStore, MemoryJournalStore } from './journal-store.ts';
import type { Laboratory } from './laboratory.ts';
import { type MessageCodec, WIRE_CODEC } from './message-codec.ts';
import { catalogueRequest } from './request-catalogue.ts';
import type { Scenario } from './scenario.ts';
import { Timeline } from './timeline.ts';
import { Transcript } from './transcript.ts';
import { World } from './world.ts';

/** Breaks what protects a group, to see that a simulation finds that. */
export interface Sabotage {
  /** Takes the place of the wire's codec; all messages are encoded then. */
  readonly codec?: MessageCodec;
  readonly wrapJournal?: (store: JournalStore) => JournalStore;
  /** Changes frames on their way into a chip. */
  readonly tamper?: (frame: ShardFrame, chip: Chip) => ShardFrame;
}

/** In virtual time after the last fault: everything that was accepted is finished by then. */
const RECOVERY_MICROS = 60_000_000;
const MAX_EVENTS = 1_000_000;
const TEXT_KINDS = ['hello', 'progress', 'ready', 'refused', 'report', 'shardLogits'] as const;

/** One scenario in a world of its own, with its clients, faults and all invariants. */
export class Simulation {
  readonly transcript = new Transcript();
  readonly world: World;
  readonly #scenario: Scenario;
  readonly #clients: Clients;
  readonly #invariants: readonly Invariant[];

  constructor(scenario: Scenario, laboratory: Laboratory, sabotage: Sabotage = {}) {
    const { seed, delays } = scenario;
    this.#scenario = scenario;
    const oracle = laboratory.undisturbedOf(scenario);
    const requests = scenario.requests.map((planned) => {
      const request = catalogueRequest(planned.index, laboratory.config.vocabSize);
      return { ...planned, request, expected: oracle.samplesOf(request) };
    });
    const network = new FaultyNetwork(delays, new Random(seed, 1));
    this.world = this.#makeWorld({ scenario, laboratory, sabotage, network });
    const states = new RequestStates();
    this.#clients = new Clients(this.world, (sequences) => states.queued(sequences));
    this.#invariants = [
      ...[states, new Clock(), new KvBlocks(), new WorkConservation()],
      new Bounds(scenario.scheduler.maxNumQueuedReqs),
      new EqualActivations({
        expected: oracle.digests,
        tokensOf: (id) => this.#clients.tokensOf(id),
      }),
    ];
    new FaultInjector(this.world, network).plan(scenario.faults);
    this.#clients.plan(requests);
  }

  /** Runs to the end; throws where something does not hold. */
  run(): void {
    const { world } = this;
    try {
      world.start();
      while (!this.#isOver()) this.advance();
    } finally {
      world.end();
    }
  }

  /** Lets one event happen, and checks everything. */
  advance(): void {
    const { world } = this;
    require('I11', world.timeline.advance(), () => 'nothing happens any more');
    for (const invariant of this.#invariants) invariant.afterEvent?.(world);
  }

  #isOver(): boolean {
    const { mode, horizonMicros } = this.#scenario;
    const { nowMicros, happened } = this.world.timeline;
    if (this.#clients.areDone) return true;
    require('I10', happened < MAX_EVENTS, () => `${happened} events and no end`);
    if (mode === 'safety') return nowMicros > horizonMicros;
    require('I11', nowMicros < horizonMicros + RECOVERY_MICROS, () =>
      `${this.#clients.waiting.join(', ')} did not finish within ${RECOVERY_MICROS / 1e6} s after the last fault`);
    return false;
  }

  #makeWorld({
    scenario,
    laboratory,
    sabotage,
    network,
  }: {
    readonly scenario: Scenario;
    readonly laboratory: Laboratory;
    readonly sabotage: Sabotage;
    readonly network: FaultyNetwork;
  }): World {
    const timeline = new Timeline();
    const random = new Random(scenario.seed, 2);
    const store = new MemoryJournalStore(timeline, () => random.around(scenario.meanFlushMicros));
    const { codec = scenario.isEncoded ? WIRE_CODEC : undefined } = sabotage;
    return new World({
      coordinator: {
        spec: laboratory.specOf(scenario),
        scheduler: laboratory.schedulerOf(scenario),
        vocabSize: laboratory.config.vocabSize,
        stepTimeoutMicros: scenario.stepTimeoutMicros,
        patienceMicros: scenario.patienceMicros,
      },
      timeline,
      journal: sabotage.wrapJournal?.(store) ?? store,
      seats: scenario.tensorParallel + scenario.spares,
      isPidShared: scenario.isPidShared,
      shards: laboratory.shardsOf(scenario.isExact),
      codec,
      network,
      tamper: sabotage.tamper,
      observer: {
        commanded: (command) => this.#commanded(command),
        reported: (report, seat) => this.#reported(report, seat),
        computing: (work, chip, shard) => {
          for (const invariant of this.#invariants) invariant.computing?.(work, chip, shard);
        },
        told: (event) => this.#told(event),
        coordinatorEnded: () => this.#coordinatorEnded(),
      },
      computeMicros: () => random.around(scenario.meanComputeMicros),
      loadMicros: () => random.around(scenario.meanLoadMicros),
    });
  }

  #commanded(command: Command): void {
    const step = command.kind === 'step' ? command.step : 0;
    this.transcript.add(this.world.timeline.nowMicros, command.kind.length, command.epoch, step);
    for (const invariant of this.#invariants) invariant.commanded?.(command);
  }

  #reported(report: Report, seat: number): void {
    const { nowMicros } = this.world.timeline;
    this.transcript.add(nowMicros, TEXT_KINDS.indexOf(report.kind), seat);
    if (report.kind === 'report') this.transcript.add(report.epoch, report.step, report.digest);
  }

  #told(event: CoordinatorEvent): void {
    this.transcript.addText(event.kind);
    if (event.kind === 'token') this.transcript.add(event.sequence.id, event.drawn.token);
    for (const invariant of this.#invariants) invariant.told?.(event);
    this.#clients.observe(event);
  }

  #coordinatorEnded(): void {
    this.#clients.coordinatorEnded();
    for (const invariant of this.#invariants) invariant.coordinatorEnded?.();
  }
}
