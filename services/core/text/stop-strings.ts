/** Which texts end a generation. */
export interface StopRules {
  /** None of them empty. */
  readonly strings: readonly string[];
  /** Leading tokens in whose text no stop string may end. */
  readonly minTokens: number;
  /** Whether the stop string itself is part of the output. */
  readonly includeInOutput: boolean;
}

/** What one more token makes certain of the output. */
export interface StopProgress {
  readonly text: string;
  /** The stop string that the text ends with; nothing may follow. */
  readonly matched: string | undefined;
}

/**
 * Finds the first stop string in the text of one sequence, as it comes token by token: the one that
 * ends first, and of those that end together the one given first, wherever the text is cut into
 * tokens. What could become part of a stop string is held back, and nothing else.
 */
export class StopStrings {
  readonly #rules: StopRules;
  readonly #fallbacks: readonly (readonly number[])[];
  /** How many characters of each string the text so far ends with; never the whole string. */
  readonly #matched: number[];
  #held = '';
  #tokens = 0;

  constructor(rules: StopRules) {
    this.#rules = rules;
    this.#fallbacks = rules.strings.map(fallbacksOf);
    this.#matched = rules.strings.map(() => 0);
  }

  /** Takes the text that one more token adds, which may be empty. */
  push(text: string): StopProgress {
    const mayStop = this.#tokens++ >= this.#rules.minTokens;
    for (let i = 0; i < text.length; i++) {
      const ended = this.#advance(text.charCodeAt(i));
      if (ended === undefined || !mayStop) continue;
      return { text: this.#cut(this.#held + text.slice(0, i + 1), ended), matched: ended };
    }
    const whole = this.#held + text;
    const certain = whole.length - Math.max(0, ...this.#matched);
    this.#held = whole.slice(certain);
    return { text: whole.slice(0, certain), matched: undefined };
  }

  /** Ends the text without a match: what was held back is part of it. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    this.#matched.fill(0);
    return text;
  }

  /** Takes one UTF-16 unit; the first string that ends with it, if any. */
  #advance(unit: number): string | undefined {
    let ended: string | undefined;
    this.#rules.strings.forEach((string, index) => {
      const fallbacks = this.#fallbacks[index]!;
      let length = this.#matched[index]!;
      while (length > 0 && string.charCodeAt(length) !== unit) length = fallbacks[length]!;
      if (string.charCodeAt(length) === unit) length++;
      const isWhole = length === string.length;
      if (isWhole) ended ??= string;
      this.#matched[index] = isWhole ? fallbacks[length]! : length;
    });
    return ended;
  }

  #cut(text: string, ended: string): string {
    return this.#rules.includeInOutput ? text : text.slice(0, text.length - ended.length);
  }
}

/**
 * The failure function of Knuth, Morris and Pratt: for every length of a prefix of the string, the
 * length of the longest shorter prefix that it ends with.
 */
function fallbacksOf(string: string): number[] {
  const fallbacks = [0, 0];
  for (let length = 2; length <= string.length; length++) {
    const unit = string.charCodeAt(length - 1);
    let shorter = fallbacks[length - 1]!;
    while (shorter > 0 && string.charCodeAt(shorter) !== unit) shorter = fallbacks[shorter]!;
    fallbacks.push(string.charCodeAt(shorter) === unit ? shorter + 1 : 0);
  }
  return fallbacks;
}
