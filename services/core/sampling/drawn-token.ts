/** A token and the natural logarithm of its probability. */
export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

/** Log-probabilities of one draw, of the model's own logits before any penalty or temperature. */
export interface DrawLogprobs {
  /** Of the drawn token. */
  readonly logprob: number;
  /** The likeliest tokens, likeliest first; the drawn one is among them only where it is likely. */
  readonly top: readonly TokenLogprob[];
}

/** The same of a token of the prompt, given those before it. */
export interface PromptLogprobs extends DrawLogprobs {
  readonly token: number;
}

/** A drawn token. */
export interface DrawnToken {
  readonly token: number;
  /** Undefined where nobody asked for them. */
  readonly logprobs: DrawLogprobs | undefined;
}
