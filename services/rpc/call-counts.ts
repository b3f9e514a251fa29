/** How many calls of each method are open, and when none is left. */
export class CallCounts {
  readonly #open = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  begin(name: string): void {
    this.#open.set(name, this.#count(name) + 1);
  }

  end(name: string): void {
    this.#open.set(name, this.#count(name) - 1);
    if (this.#count(name) > 0) return;
    for (const resolve of this.#waiting.get(name) ?? []) resolve();
    this.#waiting.delete(name);
  }

  /** Resolves when no call of that name is open, or after the limit. */
  async untilNone(name: string, limitMs: number): Promise<void> {
    if (this.#count(name) === 0) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, limitMs);
      const waiting = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(
        name,
        waiting.add(() => {
          clearTimeout(limit);
          resolve();
        }),
      );
    });
  }

  #count(name: string): number {
    return this.#open.get(name) ?? 0;
  }
}
