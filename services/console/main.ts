import { Connection } from './connection.ts';
import { ConsoleState } from './console-state.ts';
import { KeyDialog } from './key-dialog.ts';
import { Playground } from './playground.ts';
import { BatchView } from './views/batch-view.ts';
import { ChipsView } from './views/chips-view.ts';
import { HeaderView } from './views/header-view.ts';
import { JournalView } from './views/journal-view.ts';
import { RatesView } from './views/rates-view.ts';
import { RequestsView } from './views/requests-view.ts';

const state = new ConsoleState();
const keys = new KeyDialog(() => connection.open());
const playground = new Playground(() => keys.key);
const isOwn = (requestId: string): boolean => playground.isOwn(requestId);
const views = [
  new HeaderView(),
  new RatesView(),
  new ChipsView(),
  new BatchView(isOwn),
  new RequestsView(isOwn),
  new JournalView(),
];
let isDue = false;

/** Draws once before the next picture, however much has changed by then. */
function changed(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    for (const view of views) view.draw(state);
  });
}

const connection = new Connection(() => keys.key, {
  event: (event) => {
    state.take(event);
    changed();
  },
  lost: (message) => {
    state.setLink('lost', message);
    changed();
  },
  locked: () => {
    state.setLink('locked');
    keys.ask();
    changed();
  },
});
connection.open();
