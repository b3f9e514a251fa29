import stringWidth from 'string-width';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** What moves the cursor, changes the terminal's state or turns the direction of writing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const NOT_ASCII = /[^ -~]/gu;

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text of somebody else as a terminal may be sent it. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, '?');
}

/** For terminals that know no more than ASCII. */
export function asciiText(text: string): string {
  return text.replace(NOT_ASCII, '?');
}

/** At most `width` columns of a text; where something is left out, `mark` ends it. */
export function cutText(text: string, width: number, mark = '…'): string {
  if (widthOf(text) <= width) return text;
  if (widthOf(mark) > width) return '';
  let kept = '';
  let columns = widthOf(mark);
  for (const { segment } of GRAPHEMES.segment(text)) {
    columns += widthOf(segment);
    if (columns > width) break;
    kept += segment;
  }
  return kept + mark;
}

/** A text in exactly `width` columns. */
export function fitText(
  text: string,
  width: number,
  options: { readonly align?: 'left' | 'right'; readonly mark?: string } = {},
): string {
  const cut = cutText(text, width, options.mark);
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return options.align === 'right' ? space + cut : cut + space;
}
