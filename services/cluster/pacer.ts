import { assert } from '../core/support/errors.ts';

/** How well a group holds the pace, from its first step on. */
export interface Pace {
  /** Device seconds that a second of the host should hold; 0 where nothing is paced. */
  readonly speed: number;
  /** Device time of all complete steps. */
  readonly deviceMicros: number;
  /** Host time in which there was something to do. */
  readonly busyMicros: number;
  /** How far the last complete step was behind its deadline. */
  readonly lagMicros: number;
}

/** The greatest delay that is made up for; what is beyond it shows in the pace alone. */
const MAX_CATCH_UP_MICROS = 1e6;

/**
 * Ties device time to host time. Deadlines are absolute: while there is something to do, each step is
 * due when all before it and itself have had their device time, so that a late timer delays one step
 * and not those after it. While there is nothing to do, device time goes on with the host's; at speed
 * 0 it stands still, and nothing is ever waited for.
 */
export class Pacer {
  readonly #speed: number;
  /** Device time of the last moment that is fixed, and the host's when it should have been. */
  #deviceMicros = 0;
  #hostMicros = 0;
  /** Of the step in flight. */
  #stepMicros = 0;
  #state: 'idle' | 'between' | 'step' = 'idle';
  /** Since when the host has been busy, and not counted. */
  #busySinceMicros = 0;
  #busyMicros = 0;
  #steppedMicros = 0;
  #lagMicros = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  get pace(): Pace {
    return {
      speed: this.#speed,
      deviceMicros: this.#steppedMicros,
      busyMicros: this.#busyMicros,
      lagMicros: this.#lagMicros,
    };
  }

  /** Device time when the step in flight began or, between steps, when the last one ended. */
  get stepMoment(): number {
    return this.#deviceMicros;
  }

  /** Device time at a moment of the host. */
  deviceAt(nowMicros: number): number {
    const passed = this.#speed * Math.max(0, nowMicros - this.#hostMicros);
    if (this.#state === 'step') return this.#deviceMicros + Math.min(this.#stepMicros, passed);
    return this.#deviceMicros + (this.#state === 'idle' ? passed : 0);
  }

  /** When device time gets to a moment while there is nothing to do, in host time. */
  hostAt(deviceMicros: number): number {
    if (this.#speed === 0) return this.#hostMicros;
    return this.#hostMicros + (deviceMicros - this.#deviceMicros) / this.#speed;
  }

  /** Lets the time until a moment pass in which there is nothing to do; does nothing if there is. */
  advanceTo(deviceMicros: number, nowMicros: number): void {
    if (this.#state !== 'idle' || deviceMicros < this.#deviceMicros) return;
    this.#hostMicros = this.#speed === 0 ? nowMicros : this.hostAt(deviceMicros);
    this.#deviceMicros = deviceMicros;
    this.#wake(nowMicros);
  }

  /** Begins a step that takes so long; returns when it is due in host time. */
  begin(nowMicros: number, stepMicros: number): number {
    assert(this.#state !== 'step', 'one step is in flight at a time');
    if (this.#state === 'idle') {
      this.#deviceMicros = this.deviceAt(nowMicros);
      this.#hostMicros = nowMicros;
      this.#wake(nowMicros);
    }
    this.#state = 'step';
    this.#stepMicros = stepMicros;
    return this.#dueMicros(nowMicros);
  }

  /** Ends the step in flight. */
  complete(nowMicros: number): void {
    assert(this.#state === 'step', 'a step is in flight');
    const due = this.#dueMicros(nowMicros);
    this.#lagMicros = Math.max(0, nowMicros - due);
    this.#hostMicros = Math.max(due, nowMicros - MAX_CATCH_UP_MICROS);
    this.#deviceMicros += this.#stepMicros;
    this.#steppedMicros += this.#stepMicros;
    this.#busyMicros += nowMicros - this.#busySinceMicros;
    this.#busySinceMicros = nowMicros;
    this.#state = 'between';
  }

  /** Gives the step in flight up: it takes no device time, and the pace begins anew. */
  abandon(nowMicros: number): void {
    if (this.#state === 'idle') return;
    this.#busyMicros += nowMicros - this.#busySinceMicros;
    this.#rest(nowMicros);
  }

  /** There is nothing to do. */
  rest(nowMicros: number): void {
    if (this.#state === 'between') this.#rest(nowMicros);
  }

  #rest(nowMicros: number): void {
    this.#state = 'idle';
    this.#hostMicros = Math.max(this.#hostMicros, nowMicros);
  }

  #wake(nowMicros: number): void {
    this.#state = 'between';
    this.#busySinceMicros = nowMicros;
  }

  #dueMicros(nowMicros: number): number {
    return this.#speed === 0 ? nowMicros : this.#hostMicros + this.#stepMicros / this.#speed;
  }
}

/** Device seconds that a second of the host has held while there was something to do; 0 before any. */
export function heldSpeed({ deviceMicros, busyMicros }: Pace): number {
  return busyMicros > 0 ? deviceMicros / busyMicros : 0;
}

/** The held speed over the wanted one; undefined where nothing is paced, or no step is complete. */
export function realTimeFactor(pace: Pace): number | undefined {
  if (pace.speed === 0 || pace.busyMicros === 0) return undefined;
  return heldSpeed(pace) / pace.speed;
}
