/** The signs that a screen is drawn with. */
export interface Glyphs {
  readonly isAscii: boolean;
  /** Ends a text of which a part is left out. */
  readonly mark: string;
  readonly rule: string;
  /** A bar's full column, its half one, and what is left. */
  readonly bar: { readonly full: string; readonly half: string; readonly rest: string };
  readonly dot: string;
  readonly down: string;
  readonly up: string;
}

export const UNICODE_GLYPHS: Glyphs = {
  isAscii: false,
  mark: '…',
  rule: '─',
  bar: { full: '━', half: '╸', rest: '─' },
  dot: '●',
  down: '▼',
  up: '▲',
};

export const ASCII_GLYPHS: Glyphs = {
  isAscii: true,
  mark: '~',
  rule: '-',
  bar: { full: '#', half: '=', rest: '-' },
  dot: '*',
  down: 'v',
  up: '^',
};

/** The signs that the locale allows; the first variable that is set decides. */
export function glyphsFor(env: NodeJS.ProcessEnv): Glyphs {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale) ? UNICODE_GLYPHS : ASCII_GLYPHS;
}
