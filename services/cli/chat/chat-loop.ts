import { choiceObject } from '../run/run-result.ts';
import { EXIT_CODES, StopRequest } from '../terminal/errors.ts';
import { describeAnswer } from './answer-report.ts';
import { type ChatState, COMPLETIONS, isCommand, runCommand } from './chat-commands.ts';
import type { ChatHistory } from './chat-history.ts';
import type { Answer } from './chat-session.ts';
import { PipedReader, type PromptReader } from './prompt-reader.ts';
import { TerminalReader } from './terminal-reader.ts';

export interface ChatLoopOptions {
  readonly json: boolean;
  readonly note: (sentence: string) => void;
  readonly signal: AbortSignal;
  readonly history: ChatHistory;
}

/** Takes prompts until there are no more: at a terminal with a prompt sign, elsewhere without. */
export class ChatLoop {
  readonly #state: ChatState;
  readonly #options: ChatLoopOptions;
  readonly #terminal: TerminalReader | undefined;
  readonly #reader: PromptReader;
  readonly #ended: Promise<never>;
  #end!: (reason: Error) => void;
  #answers = 0;
  /** Stops the answer that is being generated. */
  #answering: AbortController | undefined;
  #wasWarned = false;

  constructor(state: ChatState, options: ChatLoopOptions) {
    this.#state = state;
    this.#options = options;
    this.#terminal = isTerminal() ? this.#openTerminal() : undefined;
    this.#reader = this.#terminal ?? new PipedReader(process.stdin, options.signal);
    this.#ended = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.#ended.catch(() => {});
  }

  /** Resolves when the user ends the chat; rejects with a StopRequest when Ctrl-C does. */
  async run(): Promise<void> {
    const { note } = this.#options;
    if (this.#terminal) note(`${this.#state.about} /help lists the commands; Ctrl-D ends.`);
    for (;;) {
      const prompt = await Promise.race([this.#reader.next(), this.#ended]);
      if (prompt === undefined) break;
      this.#wasWarned = false;
      if (!(await this.#take(prompt))) return;
    }
    if (this.#terminal) process.stdout.write('\n');
  }

  /** Ctrl-C: stops the answer and keeps the chat; gives false where it should end the program. */
  interrupt(): boolean {
    if (this.#terminal === undefined) return false;
    if (this.#answering === undefined) this.#terminal.interrupt();
    else this.#answering.abort();
    return true;
  }

  close(): void {
    this.#reader.close();
    if (this.#terminal) this.#options.history.save();
  }

  /** False where the chat ends. */
  async #take(prompt: string): Promise<boolean> {
    if (prompt.trim() === '') return true;
    try {
      if (!isCommand(prompt)) await this.#answer(prompt);
      else {
        const lines = runCommand(prompt, this.#state);
        if (lines === undefined) return false;
        for (const line of lines) this.#options.note(line);
      }
    } catch (error) {
      this.#options.signal.throwIfAborted();
      this.#options.note(`error: ${(error as Error).message}`);
      // A program that feeds prompts learns in the end that one of them failed.
      if (this.#terminal === undefined) process.exitCode = EXIT_CODES.failed;
    }
    return true;
  }

  async #answer(prompt: string): Promise<void> {
    const { json, note, signal } = this.#options;
    const answering = new AbortController();
    this.#answering = answering;
    try {
      const stop = AbortSignal.any([signal, answering.signal]);
      const answer = await this.#state.session.ask(prompt, stop);
      signal.throwIfAborted();
      if (json) this.#printObject(prompt, answer);
      else process.stdout.write('\n');
      if (answer.kind === 'stopped') note('Stopped.');
      else if (this.#state.verbose)
        for (const line of describeAnswer(answer.choice, this.#state.clock)) note(line);
    } finally {
      this.#answering = undefined;
    }
  }

  #printObject(prompt: string, answer: Answer): void {
    const index = this.#answers++;
    const object =
      answer.kind === 'whole'
        ? choiceObject(answer.choice, { index, prompt })
        : { index, prompt, text: answer.text, finish_reason: 'stopped' };
    process.stdout.write(`${JSON.stringify(object)}\n`);
  }

  #openTerminal(): TerminalReader {
    return new TerminalReader({
      input: process.stdin,
      output: process.stdout,
      history: this.#options.history,
      commands: COMPLETIONS,
      onInterrupt: () => this.#warnOrEnd(),
    });
  }

  #warnOrEnd(): void {
    if (this.#wasWarned) this.#end(new StopRequest('interrupted', EXIT_CODES.interrupted));
    else this.#options.note('Ctrl-D or /bye ends the chat, and so does Ctrl-C once more.');
    this.#wasWarned = true;
  }
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}
