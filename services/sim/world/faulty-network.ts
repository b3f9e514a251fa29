import type { Random } from '../random.ts';
import type { NoiseEffect, PartitionDirection } from './faults.ts';
import type { Arrival, Endpoint, Letter, Network } from './network.ts';

/** How long messages take while nothing is wrong, in microseconds. */
export interface NetworkDelays {
  readonly minMicros: number;
  /** Of what comes on top of it, at random. */
  readonly meanMicros: number;
}

/** A message that is overtaken, doubled or clogged comes so much later, on average. */
const MEAN_LATENESS_MICROS = 60_000;
/** Brokers do not lose what they have, so that control messages are lost more seldom. */
const CONTROL_SHARE = 0.2;

interface Noise {
  readonly effect: NoiseEffect;
  readonly chance: number;
}

interface Partition {
  readonly seat: number;
  readonly direction: PartitionDirection;
}

/** A link, in one direction. */
interface Link {
  readonly from: number;
  readonly to: number;
}

/** A network whose faults begin and end; whatever it draws comes from one generator. */
export class FaultyNetwork implements Network {
  readonly #delays: NetworkDelays;
  readonly #random: Random;
  readonly #noises = new Set<Noise>();
  readonly #partitions = new Set<Partition>();
  readonly #clogs = new Set<Link>();
  #outages = 0;

  constructor(delays: NetworkDelays, random: Random) {
    this.#delays = delays;
    this.#random = random;
  }

  /** Lets messages suffer an effect with some chance; the result ends that. */
  addNoise(effect: NoiseEffect, chance: number): () => void {
    const noise = { effect, chance };
    this.#noises.add(noise);
    return () => this.#noises.delete(noise);
  }

  /** Cuts a chip off; the result ends that. */
  cutOff(seat: number, direction: PartitionDirection): () => void {
    const partition = { seat, direction };
    this.#partitions.add(partition);
    return () => this.#partitions.delete(partition);
  }

  /** Clogs a link; the result ends that. */
  clog(from: number, to: number): () => void {
    const link = { from, to };
    this.#clogs.add(link);
    return () => this.#clogs.delete(link);
  }

  /** Nothing passes any more; the result ends that. */
  breakDown(): () => void {
    this.#outages++;
    return () => this.#outages--;
  }

  carry(letter: Letter): readonly Arrival[] {
    if (this.#outages > 0 || this.#isCut(letter)) return [];
    const share = letter.kind === 'frame' ? 1 : CONTROL_SHARE;
    if (this.#happens('loss', share)) return [];
    const arrivals = [this.#arrival(letter)];
    if (this.#happens('duplication', 1)) {
      arrivals.push({ ...this.#arrival(letter), delayMicros: this.#lateness() });
    }
    return arrivals;
  }

  #arrival(letter: Letter): Arrival {
    const isLate = this.#isClogged(letter) || this.#happens('reordering', 1);
    const { minMicros, meanMicros } = this.#delays;
    const late = isLate ? this.#lateness() : 0;
    const delayMicros = minMicros + this.#random.around(meanMicros) + late;
    const isDamaged = letter.kind === 'frame' && this.#happens('corruption', 1);
    const data = isDamaged && letter.data ? this.#flipBit(letter.data) : letter.data;
    return { delayMicros, data, isDamaged };
  }

  #happens(effect: NoiseEffect, share: number): boolean {
    for (const noise of this.#noises) {
      if (noise.effect === effect && this.#random.chance(noise.chance * share)) return true;
    }
    return false;
  }

  #lateness(): number {
    return this.#random.around(MEAN_LATENESS_MICROS);
  }

  #isCut({ from, to }: Letter): boolean {
    if (this.#partitions.size === 0) return false;
    return [...this.#partitions].some(
      ({ seat, direction }) =>
        (from === seat && direction !== 'to') || (to === seat && direction !== 'from'),
    );
  }

  #isClogged({ from, to }: { readonly from: Endpoint; readonly to: Endpoint }): boolean {
    if (this.#clogs.size === 0) return false;
    return [...this.#clogs].some((link) => link.from === from && link.to === to);
  }

  #flipBit(data: Uint8Array): Uint8Array {
    const flipped = data.slice();
    const bit = this.#random.integer(0, 8 * data.length - 1);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    return flipped;
  }
}
