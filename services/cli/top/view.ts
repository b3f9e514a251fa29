import type { Key } from '../terminal/full-screen.ts';

/** What requests may be sorted by, in the order of their columns. */
export const SORT_KEYS = ['id', 'phase', 'prompt', 'output', 'kv', 'age', 'preemptions'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** What the user chose to see. */
export interface View {
  readonly sortKey: SortKey;
  /** Largest first. */
  readonly isDescending: boolean;
  /** Shown are requests whose id or phase has it. */
  readonly filter: string;
  /** Undefined unless a filter is being typed. */
  readonly typing: string | undefined;
  readonly isPaused: boolean;
  readonly hasHelp: boolean;
  /** Requests above the first that is shown. */
  readonly scroll: number;
}

export const FIRST_VIEW: View = {
  sortKey: 'age',
  isDescending: true,
  filter: '',
  typing: undefined,
  isPaused: false,
  hasHelp: false,
  scroll: 0,
};

/** What a key does beyond what is shown. */
export type Command = 'quit' | 'interrupt' | 'suspend' | 'redraw';

const PAGE = 10;
const MAX_FILTER = 80;

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['c', 'interrupt'],
  ['z', 'suspend'],
  ['l', 'redraw'],
]);

const CHANGES: ReadonlyMap<string, (view: View) => View> = new Map(
  Object.entries<(view: View) => View>({
    '?': toggleHelp,
    h: toggleHelp,
    p: togglePause,
    space: togglePause,
    '/': (view) => ({ ...view, typing: view.filter }),
    s: (view) => sortedBy(view, 1),
    right: (view) => sortedBy(view, 1),
    left: (view) => sortedBy(view, -1),
    r: (view) => ({ ...view, isDescending: !view.isDescending }),
    j: (view) => scrolled(view, 1),
    k: (view) => scrolled(view, -1),
    down: (view) => scrolled(view, 1),
    up: (view) => scrolled(view, -1),
    pagedown: (view) => scrolled(view, PAGE),
    pageup: (view) => scrolled(view, -PAGE),
    home: (view) => ({ ...view, scroll: 0 }),
    escape: (view) => ({ ...view, hasHelp: false, filter: view.hasHelp ? view.filter : '' }),
  }),
);

/** The view after a key, or what else the key asks for; keys without a meaning change nothing. */
export function applyKey(view: View, key: Key): View | Command {
  if (key.isCtrl) return COMMANDS.get(key.name ?? '') ?? view;
  if (view.typing !== undefined) return typed(view, view.typing, key);
  if (key.text === 'q') return 'quit';
  const change = CHANGES.get(key.name ?? '') ?? CHANGES.get(key.text ?? '');
  return change === undefined ? view : change(view);
}

function typed(view: View, typing: string, { name, text }: Key): View {
  if (name === 'escape') return { ...view, typing: undefined };
  if (name === 'return' || name === 'enter') {
    return { ...view, filter: typing, typing: undefined, scroll: 0 };
  }
  if (name === 'backspace') return { ...view, typing: [...typing].slice(0, -1).join('') };
  const isWritten = text !== undefined && !/\p{C}/u.test(text) && typing.length < MAX_FILTER;
  return isWritten ? { ...view, typing: typing + text } : view;
}

function toggleHelp(view: View): View {
  return { ...view, hasHelp: !view.hasHelp };
}

function togglePause(view: View): View {
  return { ...view, isPaused: !view.isPaused };
}

function sortedBy(view: View, by: number): View {
  const index = SORT_KEYS.indexOf(view.sortKey) + by + SORT_KEYS.length;
  return { ...view, sortKey: SORT_KEYS[index % SORT_KEYS.length]!, scroll: 0 };
}

function scrolled(view: View, by: number): View {
  return { ...view, scroll: Math.max(0, view.scroll + by) };
}
