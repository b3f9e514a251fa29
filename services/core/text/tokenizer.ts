/** Text to token ids and back. Pure: the same input always gives the same output. */
export interface Tokenizer {
  readonly vocabSize: number;
  /** Encodes a prompt, with the beginning-of-text token where the model expects one. */
  encode(text: string): number[];
  /**
   * The bytes that `id` adds to a text. `previous` is the token before it, or undefined at the
   * start of the text: llama2.c drops a leading space after BOS. Special tokens give no bytes.
   */
  tokenBytes(id: number, previous: number | undefined): Uint8Array;
}
