import type { ConsoleEvent } from '../../console/events.ts';
import { type SseStream, sseFrame } from '../sse-stream.ts';

/** An event as it goes to every viewer, made once. */
export interface ConsoleFrame {
  readonly text: string;
  readonly steps: number;
}

export function consoleFrame(event: ConsoleEvent): ConsoleFrame {
  const steps = event.kind === 'steps' ? event.steps.length : 0;
  return { text: sseFrame(JSON.stringify(event)), steps };
}

/** One who looks on. While its connection is full it gets nothing, and afterwards hears what it lost. */
export class ConsoleViewer {
  readonly #stream: Pick<SseStream, 'write'>;
  #isFull = false;
  #lost = 0;

  constructor(stream: Pick<SseStream, 'write'>) {
    this.#stream = stream;
  }

  send({ text, steps }: ConsoleFrame): void {
    if (this.#isFull) {
      this.#lost += steps;
      return;
    }
    const drained = this.#stream.write(this.#lostFrame() + text);
    if (drained === undefined) return;
    this.#isFull = true;
    drained.then(
      () => {
        this.#isFull = false;
      },
      () => {},
    );
  }

  #lostFrame(): string {
    if (this.#lost === 0) return '';
    const { text } = consoleFrame({ kind: 'lost', steps: this.#lost });
    this.#lost = 0;
    return text;
  }
}
