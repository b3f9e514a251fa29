import { authorization } from './connection.ts';
import { element, setText } from './dom.ts';
import { digits, duration } from './format.ts';
import { type Answer, streamAnswer } from './stream-answer.ts';

/** Sends a prompt and shows its answer as it comes; Stop ends the request in the engine too. */
export class Playground {
  readonly #form = element<HTMLFormElement>('#play');
  readonly #run = element<HTMLButtonElement>('#play-run');
  readonly #stop = element<HTMLButtonElement>('#play-stop');
  readonly #note = element('#play-note');
  readonly #answer = element('#play-answer');
  readonly #announcer = element('#announcer');
  readonly #key: () => string;
  readonly #ids = new Set<string>();
  #current: AbortController | undefined;

  constructor(key: () => string) {
    this.#key = key;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#current === undefined) void this.#generate(this.#stopped());
    });
    this.#form.addEventListener('keydown', ({ key: pressed, ctrlKey, metaKey }) => {
      if (pressed === 'Enter' && (ctrlKey || metaKey)) this.#form.requestSubmit();
      if (pressed === 'Escape') this.#current?.abort();
    });
    this.#stop.addEventListener('click', () => this.#current?.abort());
  }

  /** Whether a request is one of this page's. */
  isOwn(requestId: string): boolean {
    return this.#ids.has(requestId);
  }

  #stopped(): AbortSignal {
    this.#current = new AbortController();
    this.#busy(true);
    return this.#current.signal;
  }

  async #generate(signal: AbortSignal): Promise<void> {
    const { path, body, given } = requestOf(new FormData(this.#form));
    const shown = document.createElement('span');
    shown.className = 'given';
    shown.textContent = given;
    const text = document.createTextNode('');
    this.#answer.classList.remove('failed');
    this.#answer.replaceChildren(shown, text);
    const pen = new Pen((more, note) => {
      text.data += more;
      setText(this.#note, note);
      this.#answer.scrollTop = this.#answer.scrollHeight;
    });
    const startMs = performance.now();
    try {
      const options = { headers: authorization(this.#key()), signal };
      for await (const answer of streamAnswer(path, body, options)) {
        this.#ids.add(answer.id);
        pen.write(answer.text, () => noteOf(answer, performance.now() - startMs));
      }
      pen.flush();
      this.#say(`The answer is complete: ${this.#note.textContent}`);
    } catch (error) {
      pen.flush();
      if (signal.aborted) this.#finish(`stopped · ${this.#note.textContent}`);
      else this.#fail(error);
    } finally {
      this.#current = undefined;
      this.#busy(false);
    }
  }

  #fail(error: unknown): void {
    this.#answer.classList.add('failed');
    this.#answer.append(error instanceof Error ? error.message : String(error));
    this.#finish('failed');
  }

  #finish(note: string): void {
    setText(this.#note, note);
    this.#say(`The answer ended: ${note}`);
  }

  #say(sentence: string): void {
    setText(this.#announcer, sentence);
  }

  #busy(isBusy: boolean): void {
    const hadFocus = document.activeElement;
    this.#run.disabled = isBusy;
    this.#stop.disabled = !isBusy;
    if (isBusy) setText(this.#note, 'waiting for the first token');
    // A button that is disabled would take the focus away with it.
    if (isBusy && hadFocus === this.#run) this.#stop.focus();
    if (!isBusy && hadFocus === this.#stop) this.#run.focus();
  }
}

/** Gathers what comes between two pictures: tokens may be many, and each write is a layout. */
class Pen {
  readonly #draw: (text: string, note: string) => void;
  #text = '';
  #note: (() => string) | undefined;

  constructor(draw: (text: string, note: string) => void) {
    this.#draw = draw;
  }

  write(text: string, note: () => string): void {
    this.#text += text;
    if (this.#note === undefined) requestAnimationFrame(() => this.flush());
    this.#note = note;
  }

  flush(): void {
    if (this.#note === undefined) return;
    this.#draw(this.#text, this.#note());
    this.#text = '';
    this.#note = undefined;
  }
}

interface PlayRequest {
  readonly path: string;
  readonly body: object;
  /** What the answer continues. */
  readonly given: string;
}

function requestOf(form: FormData): PlayRequest {
  const prompt = String(form.get('prompt'));
  const number = (name: string): number | undefined => {
    const text = String(form.get(name) ?? '');
    return text === '' ? undefined : Number(text);
  };
  const parameters = {
    temperature: number('temperature'),
    max_tokens: number('max_tokens'),
    seed: number('seed'),
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
  };
  if (form.get('mode') === 'chat') {
    const messages = [{ role: 'user', content: prompt }];
    return { path: '../v1/chat/completions', body: { messages, ...parameters }, given: '' };
  }
  return { path: '../v1/completions', body: { prompt, ...parameters }, given: prompt };
}

function noteOf({ tokens, finishReason }: Answer, ms: number): string {
  const rate = `${tokens} tokens in ${duration(ms)}, ${digits((tokens * 1000) / ms)} tok/s host time`;
  return finishReason === undefined ? rate : `${finishReason} · ${rate}`;
}
