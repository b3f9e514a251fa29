import { createInterface, type Interface } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ChatHistory } from './chat-history.ts';
import { PromptLines } from './prompt-lines.ts';
import type { PromptReader } from './prompt-reader.ts';

export interface TerminalReaderOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly history: ChatHistory;
  /** What may stand at the beginning of a line, for the Tab key. */
  readonly commands: readonly string[];
  /** Called for Ctrl-C on an empty line. */
  readonly onInterrupt: () => void;
}

const PROMPT = '>>> ';
const CONTINUED = '... ';
/** Makes terminals say where a paste begins and ends. */
const BRACKETED_PASTE = { on: '\u001b[?2004h', off: '\u001b[?2004l' };

/**
 * Reads prompts from a terminal, with readline's editing and history. While nobody waits for a
 * prompt the terminal is as a program has it that reads nothing: Ctrl-C is a signal.
 */
export class TerminalReader implements PromptReader {
  readonly #options: TerminalReaderOptions;
  readonly #readline: Interface;
  readonly #prompts = new PromptLines();
  readonly #waiting: string[] = [];
  #isPasting = false;
  #isClosed = false;
  #resolve: ((prompt: string | undefined) => void) | undefined;

  constructor(options: TerminalReaderOptions) {
    const { input, output, history, commands } = options;
    this.#options = options;
    this.#readline = createInterface({
      input,
      output,
      terminal: true,
      history: history.lines,
      historySize: history.size,
      completer: (line: string) => [
        line === '' ? [] : commands.filter((it) => it.startsWith(line)),
        line,
      ],
    });
    this.#readline.on('line', (line) => this.#takeLine(line));
    this.#readline.on('close', () => this.#end());
    this.#readline.on('SIGINT', () => this.interrupt());
    this.#readline.on('history', (lines: string[]) => history.keep(lines));
    input.on('keypress', (_text, key: { readonly name?: string } | undefined) => {
      if (key?.name === 'paste-start') this.#isPasting = true;
      if (key?.name === 'paste-end') this.#isPasting = false;
    });
    this.#listen(false);
  }

  next(): Promise<string | undefined> {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined || this.#isClosed) return Promise.resolve(waiting);
    this.#listen(true);
    this.#ask();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Ctrl-C: throws away what is being typed; where nothing is, the owner decides. */
  interrupt(): void {
    const isEmpty = !this.#prompts.isOpen && this.#readline.line === '';
    this.#prompts.take();
    this.#isPasting = false;
    this.#options.output.write('\n');
    if (isEmpty) this.#options.onInterrupt();
    if (this.#isClosed) return;
    // Ctrl-E and Ctrl-U: readline's own way to empty its line.
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
    this.#ask();
  }

  close(): void {
    this.#readline.close();
  }

  #takeLine(line: string): void {
    const prompt = this.#prompts.push(line, { isPasted: this.#isPasting });
    if (prompt === undefined) this.#ask();
    else if (this.#resolve === undefined) this.#waiting.push(prompt);
    else this.#give(prompt);
  }

  #give(prompt: string | undefined): void {
    this.#listen(false);
    this.#resolve?.(prompt);
    this.#resolve = undefined;
  }

  /** Ctrl-D, or the terminal is gone. */
  #end(): void {
    this.#isClosed = true;
    this.#options.output.write(BRACKETED_PASTE.off);
    this.#resolve?.(undefined);
    this.#resolve = undefined;
  }

  #ask(): void {
    this.#readline.setPrompt(this.#prompts.isOpen ? CONTINUED : PROMPT);
    this.#readline.prompt();
  }

  #listen(isListening: boolean): void {
    const { input, output } = this.#options;
    output.write(isListening ? BRACKETED_PASTE.on : BRACKETED_PASTE.off);
    input.setRawMode(isListening);
    if (isListening) this.#readline.resume();
    else this.#readline.pause();
  }
}
