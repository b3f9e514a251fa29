/** A binary heap: gives its items in the order of `isBefore`, each in logarithmic time. */
export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first in order. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(item, items[parent]!)) break;
      items[index] = items[parent]!;
      index = parent;
    }
    items[index] = item;
  }

  /** Takes the first in order out. */
  pop(): Item | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0) return top;
    let index = 0;
    for (let child = this.#firstChild(0); child < items.length; child = this.#firstChild(index)) {
      if (!this.#isBefore(items[child]!, last!)) break;
      items[index] = items[child]!;
      index = child;
    }
    items[index] = last!;
    return top;
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** Where the first of the two below an item is; behind the end where there is none. */
  #firstChild(index: number): number {
    const left = 2 * index + 1;
    const right = left + 1;
    if (right >= this.#items.length) return left;
    return this.#isBefore(this.#items[right]!, this.#items[left]!) ? right : left;
  }
}
