import { type Automaton, END } from './automaton.ts';

/** Places to go on from at the end of rules, the innermost first; equal stacks are one object. */
interface Stack {
  readonly id: number;
  readonly place: number;
  readonly below: Stack | undefined;
  readonly above: Map<number, Stack>;
}

/** One way in which the text so far may be read: a place that waits for a byte, under its stack. */
interface Thread {
  readonly place: number;
  readonly stack: Stack;
}

/** All ways in which a text so far may be read. Immutable but for what it remembers. */
export interface MachineState {
  readonly threads: readonly Thread[];
  /** Whether the text may end here. */
  readonly accepts: boolean;
  /** Places that were looked at to find the threads; infinite where that was given up. */
  readonly cost: number;
  /** By byte class; null where it leads nowhere. */
  next: (MachineState | null | undefined)[];
  /** Which memory `next` belongs to. */
  generation: number;
  /** The last of the machine's walks that has counted the state. */
  walk: number;
}

/** Places that one byte may lead to. Only grammars that are ambiguous beyond use come near it. */
const MAX_COST = 20_000;

/** States that are remembered before all are forgotten: some megabytes, with a mask for each. */
const MAX_REMEMBERED = 2_048;

/**
 * Runs an automaton over bytes. The sets of threads become states of a deterministic machine, found
 * as texts need them and remembered within a bound; what is forgotten is found again, the same.
 */
export class Machine {
  readonly classes: Uint8Array;
  readonly #automaton: Automaton;
  /** Stands for every state that would take too much to find. */
  readonly #tooCostly = makeState({
    threads: [],
    accepts: false,
    cost: Number.POSITIVE_INFINITY,
    generation: 0,
  });
  /** Under all stacks of this generation. */
  #bottom: Stack;
  #stacks = 0;
  #states = new Map<string, MachineState>();
  #generation = 0;
  #walks = 0;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.classes = automaton.classes;
    this.#bottom = this.#makeStack(END, undefined);
  }

  /** The state of the empty text. */
  get start(): MachineState {
    return this.#closure([{ place: this.#automaton.start, stack: this.#bottom }])!;
  }

  /** A number for the `walk` of states that nothing has counted yet. */
  beginWalk(): number {
    return ++this.#walks;
  }

  /** The state after one more byte of a class; null where no text goes on so. */
  step(state: MachineState, byteClass: number): MachineState | null {
    if (state.generation !== this.#generation) {
      state.next = [];
      state.generation = this.#generation;
    }
    let next = state.next[byteClass];
    if (next === undefined) {
      next = this.#closure(this.#moves(state, byteClass));
      state.next[byteClass] = next;
    }
    return next;
  }

  #moves({ threads }: MachineState, byteClass: number): Thread[] {
    const moved: Thread[] = [];
    for (const { place, stack } of threads) {
      for (const { low, high, target } of this.#automaton.places[place]!.edges) {
        if (byteClass >= low && byteClass <= high) moved.push({ place: target, stack });
      }
    }
    return moved;
  }

  /** Follows what needs no byte. No rule begins with itself, so that this ends. */
  #closure(open: Thread[]): MachineState | null {
    const { places } = this.#automaton;
    const seen = new Set<number>();
    const threads: Thread[] = [];
    const keys: number[] = [];
    let accepts = false;
    for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
      const { place, stack } = thread;
      const key = stack.id * places.length + place;
      if (seen.has(key)) continue;
      if (seen.size === MAX_COST) return this.#tooCostly;
      seen.add(key);
      const { edges, jumps, call } = places[place]!;
      if (edges.length > 0) {
        threads.push(thread);
        keys.push(key);
      }
      if (place === END && stack.below === undefined) accepts = true;
      else if (place === END) open.push({ place: stack.place, stack: stack.below! });
      else if (call !== undefined) open.push({ place: call, stack: this.#push(stack, jumps[0]!) });
      else for (const jump of jumps) open.push({ place: jump, stack });
    }
    if (threads.length === 0 && !accepts) return null;
    const key = `${keys.sort((a, b) => a - b).join()}${accepts}`;
    return this.#states.get(key) ?? this.#remember(key, { threads, accepts, cost: seen.size });
  }

  #remember(key: string, found: Pick<MachineState, 'threads' | 'accepts' | 'cost'>): MachineState {
    if (this.#states.size >= MAX_REMEMBERED) {
      this.#states = new Map();
      this.#bottom = this.#makeStack(END, undefined);
      this.#generation++;
    }
    const state = makeState({ ...found, generation: this.#generation });
    this.#states.set(key, state);
    return state;
  }

  /** A call at the very end of a rule needs no place to come back to. */
  #push(stack: Stack, place: number): Stack {
    if (place === END) return stack;
    const known = stack.above.get(place);
    if (known !== undefined) return known;
    const pushed = this.#makeStack(place, stack);
    stack.above.set(place, pushed);
    return pushed;
  }

  #makeStack(place: number, below: Stack | undefined): Stack {
    return { id: this.#stacks++, place, below, above: new Map() };
  }
}

function makeState(found: Omit<MachineState, 'next' | 'walk'>): MachineState {
  return { ...found, next: [], walk: 0 };
}
