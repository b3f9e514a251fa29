import type { GrammarCompiler, GrammarState } from '../core/grammar/grammar.ts';
import { allowsAny, excluding, type TokenMask } from '../core/sampling/token-mask.ts';
import { completionTokens, type Sequence } from '../core/scheduler/request.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';

/** Where a sequence stood when its mask was last asked for. */
interface Known {
  readonly state: GrammarState;
  /** Tokens, prompted and generated, that led there. */
  readonly length: number;
}

/**
 * The masks of constrained sequences. They follow from each sequence's tokens alone: what is kept
 * only saves going through these again, and a coordinator that starts anew does that.
 */
export class SequenceGrammars {
  readonly #compiler: GrammarCompiler;
  readonly #known = new WeakMap<Sequence, Known>();

  constructor(compiler: GrammarCompiler) {
    this.#compiler = compiler;
  }

  /**
   * The tokens that a constrained sequence may go on with. Throws InvalidArgumentError where there
   * is none, or finding them takes more work than a step may spend.
   */
  maskOf(sequence: Sequence): TokenMask {
    const { allowed } = this.#stateOf(sequence);
    if (allowed === undefined) {
      throw new InvalidArgumentError('the constraint takes more work than a step may spend on it');
    }
    if (!allowsAny(allowed)) {
      throw new InvalidArgumentError('the constraint allows no token of the model to come next');
    }
    if (completionTokens(sequence) >= sequence.request.minTokens) return allowed;
    const withoutStops = excluding(allowed, sequence.stopTokenIds);
    return allowsAny(withoutStops) ? withoutStops : allowed;
  }

  #stateOf(sequence: Sequence): GrammarState {
    const { tokens } = sequence;
    const known = this.#known.get(sequence) ?? this.#begin(sequence);
    let state: GrammarState | undefined = known.state;
    for (const token of tokens.slice(known.length)) state = state?.advance(token);
    if (state === undefined) {
      throw new InvalidArgumentError('the constraint does not allow the tokens that were drawn');
    }
    this.#known.set(sequence, { state, length: tokens.length });
    return state;
  }

  #begin({ request }: Sequence): Known {
    const { constraint, promptTokens } = request;
    const state = this.#compiler.begin(constraint!, promptTokens.at(-1));
    return { state, length: promptTokens.length };
  }
}
