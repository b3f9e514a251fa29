import type { GroupSpec, Hello, Join, Ready } from './messages.ts';

/** What is known of one chip of a group. */
export interface Member {
  readonly rank: number;
  readonly hello: Hello;
  ready: Ready | undefined;
}

/** Who belongs to a group, and whether all of them take steps of its epoch. */
export class Membership {
  readonly #spec: GroupSpec;
  readonly #members = new Map<number, Member>();
  #epoch = 0;

  constructor(spec: GroupSpec) {
    this.#spec = spec;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => a.rank - b.rank);
  }

  get allPresent(): boolean {
    return this.#members.size === this.#spec.tensorParallel;
  }

  get allReady(): boolean {
    return this.allPresent && this.members.every(({ ready }) => ready?.epoch === this.#epoch);
  }

  /** Blocks that every chip has. */
  get kvBlocks(): number {
    return Math.min(...this.members.map(({ ready }) => ready?.kvBlocks ?? 0));
  }

  /** Takes in an offer; returns whether the chip is new, or a new process in the place of one. */
  hello(hello: Hello): boolean {
    if (hello.rank >= this.#spec.tensorParallel) return false;
    if (this.#members.get(hello.rank)?.hello.pid === hello.pid) return false;
    this.#members.set(hello.rank, { rank: hello.rank, hello, ready: undefined });
    return true;
  }

  ready(ready: Ready): void {
    const member = this.#members.get(ready.rank);
    if (member !== undefined && ready.epoch === this.#epoch) member.ready = ready;
  }

  /** Begins a new epoch: the command that makes every chip join it. */
  raiseEpoch(): Join {
    this.#epoch++;
    return { kind: 'join', epoch: this.#epoch, spec: this.#spec };
  }

  /** The command for a chip that offers itself again because it missed the last one. */
  currentJoin(): Join | undefined {
    return this.#epoch === 0 ? undefined : { kind: 'join', epoch: this.#epoch, spec: this.#spec };
  }
}
