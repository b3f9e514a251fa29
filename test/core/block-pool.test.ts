import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { BlockPool } from '../../services/core/kv/block-pool.ts';

suite('the block pool', () => {
  test('a block is free or in exactly one table, whatever is taken and given back', () => {
    const arbitraryAction = fc.record({ take: fc.boolean(), number: fc.nat({ max: 12 }) });
    const property = fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.array(arbitraryAction, { maxLength: 60 }),
      (total, actions) => {
        const pool = new BlockPool(total);
        const tables: number[][] = [];
        for (const { take, number } of actions) {
          if (take && pool.canAllocate(number)) tables.push(pool.allocate(number));
          else if (!take) pool.free(tables.splice(number % (tables.length + 1), 1)[0] ?? []);
          pool.checkIntegrity();
          const held = tables.flat();
          assert.equal(new Set(held).size, held.length);
          assert.ok(held.every((block) => block >= 0 && block < total));
          assert.equal(pool.freeBlocks, total - held.length);
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test('too many blocks, and blocks that are not held, are errors', () => {
    const pool = new BlockPool(2);
    const [block] = pool.allocate(1);
    assert.equal(pool.canAllocate(2), false);
    assert.throws(() => pool.allocate(2), /2 blocks of 1 free ones/);
    pool.free([block!]);
    assert.throws(() => pool.free([block!]), /block 0 is in use when it is freed/);
    assert.throws(() => new BlockPool(0), /a pool of 0 blocks/);
  });
});
