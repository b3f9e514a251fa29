import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { BlockPool } from '../../services/core/kv/block-pool.ts';
import { FreeList } from '../../services/core/kv/free-list.ts';

suite('the block pool', () => {
  test('a block is free or held as often as by tables, whatever is taken, shared and given back', () => {
    const arbitraryAction = fc.record({
      kind: fc.constantFrom('take', 'take', 'share', 'release'),
      number: fc.nat({ max: 40 }),
    });
    const property = fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.array(arbitraryAction, { maxLength: 80 }),
      (total, actions) => {
        const pool = new BlockPool(total);
        const held: number[] = [];
        // What must be free, in the order in which it was given back.
        const free = Array.from({ length: total }, (_, block) => block);
        for (const { kind, number } of actions) {
          if (kind === 'take' && free.length > 0) {
            assert.equal(pool.allocate(), free[0], 'the block that was free longest');
            held.push(free.shift()!);
          } else if (kind === 'share') {
            const block = number % total;
            pool.share(block);
            held.push(block);
            if (free.includes(block)) free.splice(free.indexOf(block), 1);
          } else if (kind === 'release' && held.length > 0) {
            const [block] = held.splice(number % held.length, 1);
            pool.release(block!);
            if (!held.includes(block!)) free.push(block!);
          }
          pool.checkIntegrity([held]);
          assert.equal(pool.freeBlocks, free.length);
          assert.equal(pool.usedBlocks, total - free.length);
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  test('taking from an empty pool, freeing twice and miscounting are errors', () => {
    const pool = new BlockPool(1);
    assert.equal(pool.allocate(), 0);
    assert.throws(() => pool.allocate(), /a block is free/);
    pool.release(0);
    assert.throws(() => pool.release(0), /block 0 is in use when it is freed/);
    assert.throws(() => pool.checkIntegrity([[0]]), /free \+ used blocks = total/);
    assert.throws(() => new BlockPool(0), /a pool of 0 blocks/);
    const list = new FreeList(2);
    assert.throws(() => list.push(1), /block 1 is in use when it is freed/);
    list.remove(1);
    assert.throws(() => list.remove(1), /block 1 is free when it is taken/);
  });
});
