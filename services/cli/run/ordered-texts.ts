/**
 * Puts texts that arrive at the same time one after the other: the first as it comes, each later
 * one after it.
 */
export class OrderedTexts {
  readonly #write: (text: string) => void;
  readonly #onStart: (index: number) => void;
  readonly #waiting: { text: string; ended: boolean }[];
  #current = -1;

  /** `onStart` is called before each text. */
  constructor(options: {
    readonly count: number;
    readonly write: (text: string) => void;
    readonly onStart: (index: number) => void;
  }) {
    this.#write = options.write;
    this.#onStart = options.onStart;
    this.#waiting = Array.from({ length: options.count }, () => ({ text: '', ended: false }));
    this.#startNext();
  }

  push(index: number, text: string): void {
    if (index === this.#current) this.#write(text);
    else this.#waiting[index]!.text += text;
  }

  /** Ends a text with a line break. */
  end(index: number): void {
    this.#waiting[index]!.ended = true;
    while (this.#waiting[this.#current]?.ended === true) {
      this.#write('\n');
      this.#startNext();
    }
  }

  #startNext(): void {
    this.#current++;
    const next = this.#waiting[this.#current];
    if (next === undefined) return;
    this.#onStart(this.#current);
    if (next.text !== '') this.#write(next.text);
  }
}
