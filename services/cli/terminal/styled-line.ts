import type { colorsFor } from './format.ts';
import type { Glyphs } from './glyphs.ts';
import { asciiText, cutText, safeText, widthOf } from './text-width.ts';

export type Colors = ReturnType<typeof colorsFor>;

export type Style = 'plain' | 'bold' | 'faint' | 'accent' | 'good' | 'warning' | 'bad' | 'inverse';

/** Text in one style. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** A line of a screen, before it is known how wide that is. */
export type Line = readonly Span[];

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

export function widthOfLine(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** A line with one part at each edge; where both do not fit, the left one gives way. */
export function spread(left: Line, right: Line, options: LineOptions): Line {
  const rightLine = cutLine(right, options);
  const leftLine = cutLine(left, { ...options, width: options.width - widthOfLine(rightLine) });
  const space = options.width - widthOfLine(leftLine) - widthOfLine(rightLine);
  return [...leftLine, span(' '.repeat(Math.max(0, space))), ...rightLine];
}

export interface LineOptions {
  readonly width: number;
  readonly glyphs: Glyphs;
}

/** What of a line fits, free of what a terminal must not be sent. */
export function cutLine(line: Line, { width, glyphs }: LineOptions): Line {
  const kept: Span[] = [];
  let left = Math.max(0, width);
  for (const { text, style } of line) {
    const safe = glyphs.isAscii ? asciiText(safeText(text)) : safeText(text);
    const cut = cutText(safe, left, glyphs.mark);
    if (cut !== '') kept.push({ text: cut, style });
    if (cut !== safe) break;
    left -= widthOf(cut);
  }
  return kept;
}

const PAINTERS: Readonly<Record<Style, (colors: Colors) => (text: string) => string>> = {
  plain: () => (text) => text,
  bold: ({ bold }) => bold,
  faint: ({ dim }) => dim,
  accent: ({ cyan }) => cyan,
  good: ({ green }) => green,
  warning: ({ yellow }) => yellow,
  bad: ({ red }) => red,
  inverse: ({ inverse }) => inverse,
};

/** The line as a terminal shows it. */
export function paintLine(line: Line, colors: Colors): string {
  return line.map(({ text, style }) => PAINTERS[style](colors)(text)).join('');
}
