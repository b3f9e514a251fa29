import { assert } from '../core/support/errors.ts';
import type { GroupSpec, Hello, Join, Ready } from './messages.ts';
import { chooseSeats } from './seat-choice.ts';

/** What is known of one chip of a group. */
export interface Member {
  readonly rank: number;
  readonly hello: Hello;
  readonly ready: Ready | undefined;
}

/** A chip that has offered itself. */
interface Offer {
  hello: Hello;
  heardMicros: number;
}

/** Who belongs to a group, and whether all of them take steps of its epoch. */
export class Membership {
  readonly #spec: GroupSpec;
  /** By seat. */
  readonly #offers = new Map<number, Offer>();
  /** By rank; empty until the group is formed. */
  #seats: readonly number[] = [];
  /** By rank. */
  #ready: (Ready | undefined)[] = [];
  #epoch = 0;
  /** The highest epoch that was ever heard of, this one included. */
  #highestEpoch: number;
  /** Since when the chips have been waited for. */
  #askedMicros: number;

  /** `lastEpoch` is known to have been an epoch of the group before. */
  constructor(
    spec: GroupSpec,
    { lastEpoch, nowMicros }: Record<'lastEpoch' | 'nowMicros', number>,
  ) {
    this.#spec = spec;
    this.#highestEpoch = lastEpoch;
    this.#askedMicros = nowMicros;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Chips that the group has now; 0 until it is formed. */
  get ranks(): number {
    return this.#seats.length;
  }

  get members(): readonly Member[] {
    return this.#seats.map((seat, rank) => ({
      rank,
      hello: this.#offers.get(seat)!.hello,
      ready: this.#ready[rank],
    }));
  }

  get allReady(): boolean {
    return this.ranks > 0 && this.#seats.every((_, rank) => this.#ready[rank] !== undefined);
  }

  /** Blocks that every chip has. */
  get kvBlocks(): number {
    return Math.min(...this.#seats.map((_, rank) => this.#ready[rank]?.kvBlocks ?? 0));
  }

  /** Whether somebody has told of a later epoch than this one. */
  get isOvertaken(): boolean {
    return this.#highestEpoch > this.#epoch;
  }

  isMember(seat: number): boolean {
    return this.#seats.includes(seat);
  }

  /** Takes in an offer; returns whether the chip has lost its memory since it was heard last. */
  hello(hello: Hello, nowMicros: number): boolean {
    const known = this.#offers.get(hello.seat);
    // A process may get the number of the one before it; then its epoch gives it away.
    const isReady = this.#ready[this.#seats.indexOf(hello.seat)] !== undefined;
    const isNew = known?.hello.pid !== hello.pid || (isReady && hello.epoch < this.#epoch);
    this.#offers.set(hello.seat, { hello, heardMicros: nowMicros });
    this.#highestEpoch = Math.max(this.#highestEpoch, hello.epoch);
    return isNew;
  }

  /** The chip of a rank has said something. */
  heard(rank: number, nowMicros: number): void {
    const offer = this.#offers.get(this.#seats[rank] ?? -1);
    if (offer !== undefined) offer.heardMicros = nowMicros;
  }

  ready(ready: Ready): void {
    if (ready.rank < this.ranks && ready.epoch === this.#epoch) this.#ready[ready.rank] = ready;
  }

  /** Forms the group of its first seats once a chip is in each of them; returns whether it did. */
  form(): boolean {
    const home = Array.from({ length: this.#spec.tensorParallel }, (_, seat) => seat);
    if (this.ranks > 0 || !home.every((seat) => this.#offers.has(seat))) return false;
    this.#seats = home;
    return true;
  }

  /**
   * Forms the group anew where some of it have not been heard for too long since they were asked;
   * returns whether it has other seats now. Before its first epoch it waits for all of its size.
   */
  replaceSilent(options: { readonly nowMicros: number; readonly patienceMicros: number }): boolean {
    const { nowMicros, patienceMicros } = options;
    if (nowMicros - this.#askedMicros <= patienceMicros) return false;
    const { tensorParallel } = this.#spec;
    const alive = [...this.#offers]
      .filter(([, { heardMicros }]) => nowMicros - heardMicros <= patienceMicros)
      .map(([seat]) => seat)
      .sort((a, b) => a - b);
    if (this.ranks > 0 && this.#seats.every((seat) => alive.includes(seat))) return false;
    const seats = chooseSeats({ current: this.#seats, alive, tensorParallel });
    if (seats === undefined) return false;
    // Chips that have never been there are late, not lost.
    if (seats.length < tensorParallel && this.#highestEpoch === 0) return false;
    this.#seats = seats;
    this.#ready = seats.map(() => undefined);
    this.#askedMicros = nowMicros;
    return true;
  }

  /** Begins a new epoch, later than any that was heard of: the command that makes chips join it. */
  raiseEpoch(nowMicros: number): Join {
    assert(this.ranks > 0, 'a group is formed before its epoch begins');
    if (this.allReady || this.#epoch === 0) this.#askedMicros = nowMicros;
    this.#epoch = this.#highestEpoch + 1;
    this.#highestEpoch = this.#epoch;
    this.#ready = this.#seats.map(() => undefined);
    return this.currentJoin()!;
  }

  /** The command for chips that have not joined the epoch; undefined before the first. */
  currentJoin(): Join | undefined {
    if (this.#epoch === 0) return undefined;
    const spec = { ...this.#spec, tensorParallel: this.ranks };
    return { kind: 'join', epoch: this.#epoch, spec, seats: this.#seats };
  }
}
