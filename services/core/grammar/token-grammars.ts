import { makeTokenMask, type TokenMask } from '../sampling/token-mask.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import { compileConstraint } from './compile-constraint.ts';
import type { Constraint } from './constraint.ts';
import type { GrammarCompiler, GrammarState } from './grammar.ts';
import type { Machine, MachineState } from './machine.ts';
import { TokenTrie } from './token-trie.ts';

export interface TokenGrammarsOptions {
  readonly tokenizer: Tokenizer;
  /** Of the model, which may have more tokens than its tokenizer. */
  readonly vocabSize: number;
  /** The model's own: they end a text where it may end. */
  readonly endTokenIds: readonly number[];
}

/** Grammars that are kept compiled, with what they remember. */
const MAX_GRAMMARS = 16;

/** Grammars over the tokens of one model. */
export class TokenGrammars implements GrammarCompiler {
  readonly #options: TokenGrammarsOptions;
  /** The tokens in the middle of a text. */
  readonly #middle: Vocabulary;
  /** The tokens at the start of a text, where some tokenizers drop a space. */
  readonly #start: Vocabulary;
  /** By constraint, the one that was asked for last at the end. */
  readonly #machines = new Map<string, Machine>();

  constructor(options: TokenGrammarsOptions) {
    this.#options = options;
    this.#middle = new Vocabulary(options, (id) => id);
    this.#start = this.#dropsSpaceAfter(undefined)
      ? new Vocabulary(options, () => undefined)
      : this.#middle;
  }

  begin(constraint: Constraint, lastPrompt: number | undefined): GrammarState {
    const machine = this.#machineOf(constraint);
    const first = this.#dropsSpaceAfter(lastPrompt) ? this.#start : this.#middle;
    return new TextState({ machine, here: first, after: this.#middle }, machine.start);
  }

  #machineOf(constraint: Constraint): Machine {
    const key = JSON.stringify(constraint);
    const machine = this.#machines.get(key) ?? compileConstraint(constraint);
    this.#machines.delete(key);
    this.#machines.set(key, machine);
    const [oldest] = this.#machines.keys();
    if (this.#machines.size > MAX_GRAMMARS) this.#machines.delete(oldest!);
    return machine;
  }

  /** Whether a token after this one loses the space that it begins with. */
  #dropsSpaceAfter(previous: number | undefined): boolean {
    const { tokenizer } = this.#options;
    const { spacedToken } = this.#middle;
    return spacedToken !== undefined && tokenizer.tokenBytes(spacedToken, previous)[0] !== SPACE;
  }
}

const SPACE = 0x20;

/** The tokens with the bytes that they have at one point of a text, and the masks found there. */
class Vocabulary {
  readonly #options: TokenGrammarsOptions;
  /** The token before, as `tokenBytes` takes it. */
  readonly #previousOf: (id: number) => number | undefined;
  readonly #masks = new WeakMap<MachineState, TokenMask>();
  readonly #trie: TokenTrie;

  constructor(options: TokenGrammarsOptions, previousOf: (id: number) => number | undefined) {
    this.#options = options;
    this.#previousOf = previousOf;
    const { vocabSize, tokenizer } = options;
    const count = Math.min(vocabSize, tokenizer.vocabSize);
    const bytes = Array.from({ length: count }, (_, id) => this.bytesOf(id));
    this.#trie = new TokenTrie(bytes, vocabSize);
  }

  /** Some token that begins with a space, where there is one. */
  get spacedToken(): number | undefined {
    return this.#trie.tokenThatBegins(SPACE);
  }

  bytesOf(id: number): Uint8Array {
    return this.#options.tokenizer.tokenBytes(id, this.#previousOf(id));
  }

  /** The tokens that may come after a state; undefined where finding them takes too much. */
  maskOf(machine: Machine, state: MachineState): TokenMask | undefined {
    const known = this.#masks.get(state);
    if (known !== undefined) return known;
    const bits = this.#trie.allowed(machine, state);
    if (bits === undefined) return undefined;
    if (state.accepts) {
      for (const id of this.#options.endTokenIds) bits[id >> 3]! |= 1 << (id & 7);
    }
    const mask = makeTokenMask(bits);
    this.#masks.set(state, mask);
    return mask;
  }
}

interface Surroundings {
  readonly machine: Machine;
  /** Of the next token, and of those after it. */
  readonly here: Vocabulary;
  readonly after: Vocabulary;
}

class TextState implements GrammarState {
  readonly #around: Surroundings;
  readonly #state: MachineState;

  constructor(around: Surroundings, state: MachineState) {
    this.#around = around;
    this.#state = state;
  }

  get allowed(): TokenMask | undefined {
    const { machine, here } = this.#around;
    return here.maskOf(machine, this.#state);
  }

  advance(token: number): GrammarState | undefined {
    const { machine, here, after } = this.#around;
    const bytes = here.bytesOf(token);
    if (bytes.length === 0) return undefined;
    let state: MachineState | null = this.#state;
    for (const byte of bytes) {
      state = machine.step(state, machine.classes[byte]!);
      if (state === null) return undefined;
    }
    return new TextState({ machine, here: after, after }, state);
  }
}
