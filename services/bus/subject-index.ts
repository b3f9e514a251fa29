/** A subject pattern that somebody listens on, alone or as a member of a queue group. */
export interface SubjectEntry {
  readonly subject: string;
  readonly queue: string | undefined;
}

/**
 * Finds who listens on a subject: everybody outside a queue group, and one member in turn of each
 * group.
 */
export class SubjectIndex<Entry extends SubjectEntry> {
  readonly #exact = new Map<string, Set<Entry>>();
  readonly #patterns = new Map<string, Set<Entry>>();
  readonly #turns = new Map<string, number>();

  add(entry: Entry): void {
    const side = this.#sideOf(entry);
    const entries = side.get(entry.subject) ?? new Set();
    side.set(entry.subject, entries.add(entry));
  }

  remove(entry: Entry): void {
    const side = this.#sideOf(entry);
    const entries = side.get(entry.subject);
    entries?.delete(entry);
    if (entries?.size === 0) side.delete(entry.subject);
  }

  match(subject: string, eligible: (entry: Entry) => boolean): readonly Entry[] {
    const chosen: Entry[] = [];
    const groups = new Map<string, Entry[]>();
    for (const entry of this.#listeners(subject)) {
      if (!eligible(entry)) continue;
      if (entry.queue === undefined) chosen.push(entry);
      else groups.set(entry.queue, [...(groups.get(entry.queue) ?? []), entry]);
    }
    for (const [queue, members] of groups) chosen.push(this.#next(queue, members));
    return chosen;
  }

  *#listeners(subject: string): Iterable<Entry> {
    yield* this.#exact.get(subject) ?? [];
    if (this.#patterns.size === 0) return;
    const tokens = subject.split('.');
    for (const [pattern, entries] of this.#patterns) {
      if (subjectMatches(pattern.split('.'), tokens)) yield* entries;
    }
  }

  #next(queue: string, members: readonly Entry[]): Entry {
    const turn = this.#turns.get(queue) ?? 0;
    this.#turns.set(queue, turn + 1);
    return members[turn % members.length]!;
  }

  #sideOf(entry: Entry): Map<string, Set<Entry>> {
    const tokens = entry.subject.split('.');
    return tokens.includes('*') || tokens.includes('>') ? this.#patterns : this.#exact;
  }
}

function subjectMatches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [index, token] of pattern.entries()) {
    if (token === '>') return subject.length > index;
    if (token !== '*' && token !== subject[index]) return false;
    if (index >= subject.length) return false;
  }
  return pattern.length === subject.length;
}
