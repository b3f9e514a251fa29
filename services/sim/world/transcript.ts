/** A running hash of everything that happens in a world: equal transcripts, equal course. */
export class Transcript {
  #high = 0x811c9dc5;
  #low = 0x9dc5811c;
  #entries = 0;

  get entries(): number {
    return this.#entries;
  }

  /** The hash so far, as 16 hexadecimal digits. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  /** Takes whole numbers in. */
  add(...words: readonly number[]): void {
    this.#entries++;
    for (const word of words) {
      this.#mix(word);
      if (word > 0xffff_ffff) this.#mix(Math.floor(word / 2 ** 32));
    }
  }

  addText(text: string): void {
    this.#entries++;
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#low = Math.imul((this.#low << 5) ^ (this.#low >>> 27) ^ word, 0x85ebca6b) + this.#high;
  }
}
