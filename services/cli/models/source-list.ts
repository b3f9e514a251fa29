/** Numbers the sources of a report in the order in which they are first referred to. */
export class SourceList {
  readonly #numbers = new Map<string, number>();

  /** The numbers of sources, such as "1, 4". */
  refer(sources: readonly string[]): string {
    return [...new Set(sources)].map((source) => this.#numberOf(source)).join(', ');
  }

  /** All that were referred to, in the order of their numbers from 1. */
  get all(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  /** The same, one a line. */
  lines(): readonly string[] {
    return this.all.map((source, index) => `${index + 1}. ${source}`);
  }

  #numberOf(source: string): number {
    const number = this.#numbers.get(source) ?? this.#numbers.size + 1;
    this.#numbers.set(source, number);
    return number;
  }
}
