import assert from 'node:assert/strict';
import type { ScheduledStep } from '../../services/core/scheduler/scheduler.ts';

/** What a slot of KV memory holds: the tokens up to its position, on which keys and values depend. */
type SlotContent = string;

/**
 * The KV memory of a chip, reduced to what it must get right: it follows the scheduler's block tables as a chip does,
 * writes into a slot what keys and values would depend on, and checks that every row reads its own past.
 */
export class PagedMemory {
  readonly #blockSize: number;
  readonly #slots = new Map<number, SlotContent>();
  readonly #tables = new Map<number, number[]>();

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  /** Executes a step: all rows of a layer are written before any is read. */
  execute({ sequences, released }: ScheduledStep): void {
    for (const id of released) assert.ok(this.#tables.delete(id), `${id} was known`);
    for (const { sequence, admitted, newBlocks } of sequences) {
      assert.equal(admitted, !this.#tables.has(sequence.id));
      const table = this.#tables.get(sequence.id) ?? [];
      this.#tables.set(sequence.id, [...table, ...newBlocks]);
      assert.deepEqual(this.#tables.get(sequence.id), sequence.table.blocks);
    }
    const written = new Set<number>();
    for (const { sequence, start, count } of sequences) {
      for (let position = start; position < start + count; position++) {
        const slot = this.#slotOf(sequence.id, position);
        assert.ok(!written.has(slot), 'no two rows of a step write one slot');
        written.add(slot);
        this.#slots.set(slot, prefixOf(sequence.tokens, position));
      }
    }
    for (const { sequence, start, count } of sequences) {
      for (let position = 0; position < start + count; position++) {
        const content = this.#slots.get(this.#slotOf(sequence.id, position));
        assert.equal(content, prefixOf(sequence.tokens, position), 'a row reads its own past');
      }
    }
  }

  /** Loses all content and every table. */
  clear(): void {
    this.#slots.clear();
    this.#tables.clear();
  }

  #slotOf(id: number, position: number): number {
    const block = this.#tables.get(id)![Math.floor(position / this.#blockSize)];
    assert.ok(block !== undefined, 'every position has a block');
    return block * this.#blockSize + (position % this.#blockSize);
  }
}

function prefixOf(tokens: readonly number[], position: number): SlotContent {
  return tokens.slice(0, position + 1).join(',');
}
