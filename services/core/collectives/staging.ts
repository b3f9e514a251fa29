/**
 * Memory for what comes in during one exchange; the next one reuses it, so that steps leave no
 * garbage behind.
 */
export class Staging {
  #floats = new Float32Array(0);

  /** `parts` areas of `length` floats each; what they held before is lost. */
  take(parts: number, length: number): Float32Array[] {
    if (this.#floats.length < parts * length) this.#floats = new Float32Array(parts * length);
    return Array.from({ length: parts }, (_, part) =>
      this.#floats.subarray(part * length, (part + 1) * length),
    );
  }
}
