/** An element that the page must have. */
export function element<T extends Element = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): T {
  const found = root.querySelector<T>(selector);
  if (found === null) throw new Error(`the page lacks ${selector}`);
  return found;
}

/** Writes only what changes: layout is the dear part of an update. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setData(node: HTMLElement | SVGElement, name: string, value: string): void {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}

/** A part of the page whose texts and bars have names: `data-field` and `data-bar`. */
export class Panel {
  readonly root: HTMLElement;
  readonly #named = new Map<string, HTMLElement>();

  constructor(root: HTMLElement) {
    this.root = root;
    for (const node of root.querySelectorAll<HTMLElement>('[data-field]')) {
      this.#named.set(`field ${node.dataset.field}`, node);
    }
    for (const node of root.querySelectorAll<HTMLElement>('[data-bar]')) {
      this.#named.set(`bar ${node.dataset.bar}`, node);
    }
  }

  field(name: string): HTMLElement {
    return this.#node(`field ${name}`);
  }

  texts(texts: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(texts)) setText(this.field(name), text);
  }

  /** Draws a bar over so much of its track, from 0 to 1, and where it begins. */
  bar(name: string, share: number, from?: number): void {
    const { style } = this.#node(`bar ${name}`);
    const percent = (value: number): string =>
      `${Number((Math.min(1, Math.max(0, value)) * 100).toFixed(2))}%`;
    const width = percent(share);
    if (style.width !== width) {
      style.width = width;
      // What is there is seen, however little of the track it takes.
      style.minWidth = share > 0 ? '2px' : '0';
    }
    if (from !== undefined) style.left = percent(from);
  }

  #node(name: string): HTMLElement {
    const node = this.#named.get(name);
    if (node === undefined) throw new Error(`the panel has no ${name}`);
    return node;
  }
}

/** Rows or tiles from a template, as many as are needed; they are kept and filled anew. */
export class PanelList {
  readonly #parent: HTMLElement;
  readonly #template: HTMLTemplateElement;
  readonly #panels: Panel[] = [];

  constructor(parent: HTMLElement, template: HTMLTemplateElement) {
    this.#parent = parent;
    this.#template = template;
  }

  fill<T>(items: readonly T[], draw: (panel: Panel, item: T) => void): void {
    while (this.#panels.length > items.length) this.#panels.pop()!.root.remove();
    while (this.#panels.length < items.length) this.#panels.push(this.#add());
    for (const [index, item] of items.entries()) draw(this.#panels[index]!, item);
  }

  #add(): Panel {
    const copy = this.#template.content.cloneNode(true) as DocumentFragment;
    const root = copy.firstElementChild as HTMLElement;
    this.#parent.append(root);
    return new Panel(root);
  }
}

/** The list with the template `<name>-template`. */
export function panelList(parent: string, name: string): PanelList {
  return new PanelList(element(parent), element<HTMLTemplateElement>(`#${name}-template`));
}
