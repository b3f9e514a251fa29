import type { TokenMask } from '../sampling/token-mask.ts';
import type { Constraint } from './constraint.ts';

/**
 * How far a sample's text has come in what its constraint allows. Immutable: it follows from the
 * tokens alone, so that whoever has these can find it again.
 */
export interface GrammarState {
  /**
   * The tokens that may come next, end-of-text tokens among them where the text may end; undefined
   * where finding them would take more work than a step may spend, or where there is none.
   */
  readonly allowed: TokenMask | undefined;
  /** The state after one of them; undefined for a token that is not allowed. */
  advance(token: number): GrammarState | undefined;
}

/** Makes grammars of constraints, and keeps those that were asked for last. */
export interface GrammarCompiler {
  /**
   * The state before the first generated token; `lastPrompt` is the token before it. Throws
   * InvalidArgumentError, with the field's name, for what is no constraint, unsupported or too large.
   */
  begin(constraint: Constraint, lastPrompt: number | undefined): GrammarState;
}
