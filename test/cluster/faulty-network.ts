import type { Arrival, Network } from './virtual-group.ts';
import { RELIABLE } from './virtual-group.ts';

/** Of a hundred frames, how many meet which fate. */
export interface FaultRates {
  /** One to three bits flipped anywhere. */
  readonly corrupt: number;
  readonly truncate: number;
  /** Replaced by random bytes. */
  readonly replace: number;
  readonly duplicate: number;
  /** Overtaken by others. */
  readonly delay: number;
  readonly drop: number;
}

export const NO_FAULTS: FaultRates = {
  corrupt: 0,
  truncate: 0,
  replace: 0,
  duplicate: 0,
  delay: 0,
  drop: 0,
};

const MAX_DELAY_MICROS = 400_000;

type Fate = keyof FaultRates | 'none';

/** Draws what becomes of a frame. */
export class FrameFaults {
  readonly #rates: FaultRates;
  readonly #random: () => number;

  constructor(rates: FaultRates, random: () => number) {
    this.#rates = rates;
    this.#random = random;
  }

  /** What arrives instead of `data`. */
  apply(data: Uint8Array): Arrival[] {
    const delayMicros = 50;
    switch (this.#drawFate()) {
      case 'corrupt':
        return [{ data: this.#flipBits(data), delayMicros }];
      case 'truncate':
        return [{ data: data.slice(0, Math.floor(this.#random() * data.length)), delayMicros }];
      case 'replace':
        return [{ data: data.map(() => this.#random() * 256), delayMicros }];
      case 'duplicate':
        return [
          { data, delayMicros },
          { data, delayMicros: this.#random() * MAX_DELAY_MICROS },
        ];
      case 'delay':
        return [{ data, delayMicros: this.#random() * MAX_DELAY_MICROS }];
      case 'drop':
        return [];
      case 'none':
        return [{ data, delayMicros }];
    }
  }

  #drawFate(): Fate {
    let rest = this.#random() * 100;
    for (const [fate, rate] of Object.entries(this.#rates) as [Fate, number][]) {
      if (rest < rate) return fate;
      rest -= rate;
    }
    return 'none';
  }

  #flipBits(data: Uint8Array): Uint8Array {
    const flipped = data.slice();
    const count = 1 + Math.floor(this.#random() * 3);
    const bits = new Set<number>();
    while (bits.size < count) bits.add(Math.floor(this.#random() * 8 * data.length));
    for (const bit of bits) flipped[bit >> 3]! ^= 1 << (bit & 7);
    return flipped;
  }
}

/** Chip to chip anything may happen; the coordinator is reached reliably. */
export function makeFaultyNetwork(rates: FaultRates, random: () => number): Network {
  const faults = new FrameFaults(rates, random);
  return { ...RELIABLE, frame: (data) => faults.apply(data) };
}

/** Nothing reaches the chip, and nothing of it is heard. */
export function makeSilentChip(silent: number): Network {
  return {
    frame: (data, { source, destination }) =>
      source === silent || destination === silent
        ? []
        : RELIABLE.frame(data, { source, destination }),
    command: (data, rank) => (rank === silent ? [] : RELIABLE.command(data, rank)),
    report: (data, rank) => (rank === silent ? [] : RELIABLE.report(data, rank)),
  };
}
