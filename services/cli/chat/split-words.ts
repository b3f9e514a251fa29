import { InvalidArgumentError } from '../../core/support/errors.ts';

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t' };
const WORD = /(?:[^\s"'\\]+|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;
const PART = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'\\]+)/gs;

/**
 * The words of a line as a shell splits them: quotes keep spaces, and a backslash takes the next
 * character as it is, but \n and \t are a line break and a tab. Throws an InvalidArgumentError where
 * a quote is not closed.
 */
export function splitWords(line: string): string[] {
  if (line.replaceAll(WORD, '').trim() !== '') {
    throw new InvalidArgumentError(`the line must close each quote that it opens: ${line}`);
  }
  return [...line.matchAll(WORD)].map(([word]) => unquote(word));
}

function unquote(word: string): string {
  return word.replaceAll(PART, (_, escaped, double, single, plain) => {
    if (escaped !== undefined) return ESCAPES[escaped] ?? escaped;
    return double === undefined ? (single ?? plain) : unescaped(double);
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}
