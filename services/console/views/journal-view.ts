import type { ConsoleState } from '../console-state.ts';
import { element, Panel } from '../dom.ts';
import { droppedFrames, type JournalEntry } from '../journal.ts';

/** What went wrong and what came back. */
export class JournalView {
  readonly #list = element('#journal');
  readonly #panel = new Panel(element('#health'));
  #newest = '';

  draw({ journal, snapshot, failed, lost }: ConsoleState): void {
    this.#panel.texts({
      failed: String(failed),
      dropped: snapshot === undefined ? '0' : String(droppedFrames(snapshot)),
      lost: String(lost),
    });
    const [entry] = journal.entries;
    const newest = entry === undefined ? '' : `${entry.atMs} ${entry.text}`;
    if (newest === this.#newest) return;
    this.#newest = newest;
    this.#list.replaceChildren(...journal.entries.map(item));
  }
}

function item({ atMs, text, isBad }: JournalEntry): HTMLElement {
  const node = document.createElement('li');
  const time = document.createElement('time');
  const at = new Date(atMs);
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleTimeString('en-GB');
  const words = document.createElement('span');
  words.textContent = text;
  words.classList.toggle('bad', isBad);
  node.append(time, words);
  return node;
}
