import type { LaunchProgress } from '../../runtime/cluster/launch.ts';

const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Tells of progress on standard error: a line that changes on a terminal, a few plain lines
 * elsewhere.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #shownQuarters = 0;
  #lineIsOpen = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** A line that stays. */
  note(sentence: string): void {
    this.closeLine();
    this.#stream.write(`${sentence}\n`);
  }

  launch(progress: LaunchProgress): void {
    if (progress.kind === 'note') this.note(progress.sentence);
    else this.advance('Loading shards', progress.fraction);
  }

  /** How much of one thing is done. */
  advance(what: string, fraction: number): void {
    if (this.#stream.isTTY) this.#showBar(what, fraction);
    else this.#showQuarter(what, fraction);
  }

  #showBar(what: string, fraction: number): void {
    const filled = Math.round(fraction * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    this.#stream.write(`${CLEAR_LINE}${what} ${bar} ${Math.floor(fraction * 100)} %`);
    this.#lineIsOpen = true;
  }

  #showQuarter(what: string, fraction: number): void {
    const quarters = Math.floor(fraction * 4);
    if (quarters <= this.#shownQuarters) return;
    this.#shownQuarters = quarters;
    this.note(`${what}: ${quarters * 25} %.`);
  }

  /** Takes the line that changes away. */
  closeLine(): void {
    if (this.#lineIsOpen) this.#stream.write(CLEAR_LINE);
    this.#lineIsOpen = false;
  }
}
