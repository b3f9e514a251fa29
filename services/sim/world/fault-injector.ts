import type { Fault } from './faults.ts';
import type { FaultyNetwork } from './faulty-network.ts';
import type { World } from './world.ts';

/** Lets the faults of a schedule happen to a world, and ends them. */
export class FaultInjector {
  readonly #world: World;
  readonly #network: FaultyNetwork;
  readonly #lost = new Set<number>();

  constructor(world: World, network: FaultyNetwork) {
    this.#world = world;
    this.#network = network;
  }

  plan(faults: readonly Fault[]): void {
    const { timeline } = this.#world;
    for (const fault of faults) {
      timeline.after(fault.atMicros, () => {
        const end = this.#begin(fault);
        timeline.after(fault.durationMicros, end);
      });
    }
  }

  /** Begins a fault; the result ends it. */
  #begin(fault: Fault): () => void {
    const world = this.#world;
    switch (fault.kind) {
      case 'crashChip':
        return this.#crashChip(fault.seat);
      case 'loseChip':
        this.#lost.add(fault.seat);
        world.crashChip(fault.seat);
        return () => {};
      case 'hangChip':
        return this.#hangChip(fault.seat);
      case 'slowChip':
        return this.#slowChip(fault.seat, fault.factor);
      case 'crashCoordinator':
        return this.#crashCoordinator();
      case 'outage':
        return this.#breakNetwork();
      case 'partition':
        return this.#network.cutOff(fault.seat, fault.direction);
      case 'clog':
        return this.#network.clog(fault.from, fault.to);
      case 'noise':
        return this.#network.addNoise(fault.effect, fault.chance);
    }
  }

  #crashChip(seat: number): () => void {
    const world = this.#world;
    world.crashChip(seat);
    return () => {
      const isDown = world.processOf(seat).state === 'dead' && !this.#lost.has(seat);
      if (isDown) world.restartChip(seat);
    };
  }

  #hangChip(seat: number): () => void {
    const chip = this.#world.processOf(seat);
    chip.hang();
    return () => chip.resume();
  }

  #slowChip(seat: number, factor: number): () => void {
    const chip = this.#world.processOf(seat);
    chip.slowness = factor;
    return () => {
      chip.slowness = 1;
    };
  }

  #crashCoordinator(): () => void {
    const world = this.#world;
    world.crashCoordinator();
    return () => {
      if (world.runningCoordinator === undefined) world.restartCoordinator();
    };
  }

  #breakNetwork(): () => void {
    const repair = this.#network.breakDown();
    return () => {
      repair();
      this.#world.runningCoordinator?.reconnected();
    };
  }
}
