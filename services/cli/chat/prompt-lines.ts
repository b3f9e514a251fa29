const FENCE = '"""';

/**
 * Puts lines together to prompts. A prompt is a line; with a backslash at its end it goes on in the
 * next line; one that begins with """ goes on to the line that ends with """; and lines that come
 * by a paste belong together with the line that follows them.
 */
export class PromptLines {
  #lines: string[] = [];
  #fenced = false;

  /** Whether a prompt has begun that is not complete. */
  get isOpen(): boolean {
    return this.#lines.length > 0 || this.#fenced;
  }

  /** Takes a line; gives the prompt that it completes. */
  push(line: string, options: { readonly isPasted?: boolean } = {}): string | undefined {
    if (this.#fenced) return this.#pushFenced(line);
    if (!this.isOpen && line.trimStart().startsWith(FENCE)) {
      this.#fenced = true;
      return this.#pushFenced(line.trimStart().slice(FENCE.length));
    }
    if (options.isPasted) this.#lines.push(line);
    else if (line.endsWith('\\')) this.#lines.push(line.slice(0, -1));
    else {
      this.#lines.push(line);
      return this.take();
    }
    return undefined;
  }

  /** What there is of a prompt, complete or not; undefined where none has begun. */
  take(): string | undefined {
    if (!this.isOpen) return undefined;
    const text = this.#lines.join('\n');
    this.#lines = [];
    this.#fenced = false;
    return text;
  }

  #pushFenced(line: string): string | undefined {
    const end = line.trimEnd();
    if (!end.endsWith(FENCE)) {
      // A fence that stands alone on its line adds no line.
      if (this.#lines.length > 0 || line !== '') this.#lines.push(line);
      return undefined;
    }
    const last = end.slice(0, -FENCE.length);
    if (last !== '') this.#lines.push(last);
    return this.take();
  }
}
