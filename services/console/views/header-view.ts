import type { ConsoleState } from '../console-state.ts';
import { element, Panel, setData, setText } from '../dom.ts';
import { duration } from '../format.ts';

/** Who the cluster is and how it is; says aloud when that changes. */
export class HeaderView {
  readonly #facts = new Panel(element('#facts'));
  readonly #pill = element('#state');
  readonly #banner = element('#banner');
  readonly #announcer = element('#announcer');

  draw(state: ConsoleState): void {
    const label = labelOf(state);
    setData(document.body, 'link', state.link);
    setData(this.#pill, 'state', label);
    if (this.#pill.textContent !== label) setText(this.#announcer, `The cluster is ${label}.`);
    setText(this.#pill, label);
    const title = `${label} · Sohu console`;
    if (document.title !== title) document.title = title;
    const banner = bannerOf(state);
    this.#banner.hidden = banner === '';
    setText(this.#banner, banner);
    this.#drawFacts(state);
  }

  #drawFacts({ snapshot, model, engines }: ConsoleState): void {
    if (snapshot === undefined) return;
    const { precision, kvCacheDtype, weights, engine, epoch, tensorParallelSize } = snapshot;
    this.#facts.texts({
      model: model === '' ? snapshot.modelName : model,
      precision: `${precision}, KV ${kvCacheDtype}, ${weights} weights`,
      chips: `${snapshot.chips.length} of ${tensorParallelSize}`,
      engine: engines > 1 ? `${engine} (1 of ${engines})` : engine,
      epoch: String(epoch),
      uptime: duration(snapshot.uptimeMs),
    });
  }
}

function labelOf({ link, snapshot }: ConsoleState): string {
  if (link === 'live') return snapshot?.state ?? 'connecting';
  if (link === 'lost') return 'gateway away';
  return link;
}

function bannerOf({ link, trouble }: ConsoleState): string {
  if (link === 'away')
    return `No engine answers (${trouble}). What you see is the last that was heard; it goes on when one is back.`;
  if (link === 'lost')
    return `The gateway does not answer (${trouble}). The console tries again by itself.`;
  if (link === 'locked') return 'The gateway wants a key: enter one under “Key”.';
  return '';
}
