import { EventEmitter, once } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';

/** A key as readline names it. */
export interface Key {
  /** What it writes; undefined for keys such as arrows. */
  readonly text: string | undefined;
  readonly name: string | undefined;
  readonly isCtrl: boolean;
}

interface Events {
  key: [Key];
  /** The terminal has another size, or is back after a stop: all must be drawn. */
  changed: [];
}

const ESC = '\u001b[';
/** The other screen, no cursor, and lines that are cut where the terminal ends. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
const RESET = `${ESC}0m`;
/** Before the line: behind a full one it would take the last sign away. */
const CLEAR_LINE = `${ESC}2K`;

/**
 * Takes the whole terminal, and gives it back as it was: by `close`, when the program ends in any way
 * that it can notice, and while it is stopped. Draws only lines that differ from those drawn before.
 */
export class FullScreen extends EventEmitter<Events> {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  #shown: readonly string[] = [];
  #isOpen = false;
  #isDrained = true;

  constructor(streams: { readonly input: ReadStream; readonly output: WriteStream }) {
    super();
    this.#input = streams.input;
    this.#output = streams.output;
  }

  get size(): { readonly width: number; readonly height: number } {
    // A terminal that does not tell has the size of old ones.
    return { width: this.#output.columns || 80, height: this.#output.rows || 24 };
  }

  open(): void {
    emitKeypressEvents(this.#input);
    this.#input.on('keypress', this.#onKey);
    this.#output.on('resize', this.redraw);
    process.on('exit', this.#leave);
    process.on('SIGTSTP', this.suspend);
    process.on('SIGCONT', this.#onContinue);
    this.#enter();
  }

  close(): void {
    this.#leave();
    this.#input.off('keypress', this.#onKey);
    this.#output.off('resize', this.redraw);
    process.off('exit', this.#leave);
    process.off('SIGTSTP', this.suspend);
    process.off('SIGCONT', this.#onContinue);
    this.#input.pause();
  }

  /** Stops the program, as Ctrl-Z does, with the terminal as it was; it goes on where the shell lets it. */
  readonly suspend = (): void => {
    this.#leave();
    // SIGTSTP has this very listener.
    process.kill(process.pid, 'SIGSTOP');
  };

  /** Shows the lines, the first at the top; a terminal that has not taken the last ones is left alone. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen || !this.#isDrained) return;
    const { height } = this.size;
    let text = '';
    for (let row = 0; row < height; row++) {
      const line = lines[row] ?? '';
      if (line === this.#shown[row]) continue;
      text += `${ESC}${row + 1};1H${CLEAR_LINE}${line}${RESET}`;
    }
    this.#shown = Array.from({ length: height }, (_, row) => lines[row] ?? '');
    if (text !== '') void this.#write(text);
  }

  async #write(text: string): Promise<void> {
    this.#isDrained = this.#output.write(text);
    if (this.#isDrained) return;
    await once(this.#output, 'drain').catch(() => {});
    this.#isDrained = true;
    this.emit('changed');
  }

  #enter(): void {
    this.#isOpen = true;
    this.#shown = [];
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(ENTER);
  }

  readonly #leave = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal is gone, and with it what would have to be put right.
    }
    this.#output.write(RESET + LEAVE);
  };

  readonly #onContinue = (): void => {
    if (!this.#isOpen) this.#enter();
    this.redraw();
  };

  /** Forgets what the terminal shows. */
  readonly redraw = (): void => {
    this.#shown = [];
    if (this.#isOpen) this.#output.write(`${ESC}2J`);
    this.emit('changed');
  };

  readonly #onKey = (
    text: string | undefined,
    key: { readonly name?: string; readonly ctrl?: boolean },
  ): void => {
    this.emit('key', { text, name: key.name, isCtrl: key.ctrl === true });
  };
}
