/** HTML that is safe to put into a page: made by `html` alone, which escapes every text. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: texts are escaped, markup is not, lists are joined. */
export type Insert = string | number | Markup | readonly Markup[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A template of HTML, for text and for quoted attributes. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  const [first, ...rest] = parts;
  return new Markup(first + rest.map((part, index) => textOf(inserts[index]!) + part).join(''));
}

/** Markup where the condition holds. */
export function when(condition: boolean, markup: () => Markup): Markup {
  return condition ? markup() : new Markup('');
}

/** Data for a script of the page; nothing in it can end the element that holds it. */
export function jsonMarkup(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'));
}

function textOf(insert: Insert): string {
  if (insert instanceof Markup) return insert.text;
  if (typeof insert === 'object') return insert.map(({ text }) => text).join('\n');
  return String(insert).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
