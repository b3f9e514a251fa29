import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { hashText } from '../../services/core/kv/block-hash.ts';
import { type BlockTable, emptyBlockTable } from '../../services/core/kv/block-table.ts';
import { HashChain } from '../../services/core/kv/hash-chain.ts';
import { NO_BLOCK } from '../../services/core/kv/hash-index.ts';
import { KvCacheManager } from '../../services/core/kv/kv-cache-manager.ts';
import type { KvEvent } from '../../services/core/kv/kv-events.ts';
import { PrefixCache } from '../../services/core/kv/prefix-cache.ts';

const BLOCK_SIZE = 4;

function makeManager(kvBlocks: number): KvCacheManager {
  return new KvCacheManager({ kvBlocks, blockSize: BLOCK_SIZE, enablePrefixCaching: true });
}

/** Lets a new sequence hold all of its tokens; returns its table. */
function hold(kv: KvCacheManager, tokens: readonly number[], salt = ''): BlockTable {
  const table = emptyBlockTable(salt);
  kv.sharePrefix(table, kv.findPrefix(table, tokens));
  kv.grow(table, tokens.length);
  kv.remember(table, tokens, tokens.length);
  return table;
}

function prefixLength(kv: KvCacheManager, tokens: readonly number[], salt = ''): number {
  return kv.findPrefix(emptyBlockTable(salt), tokens).length;
}

/** What a router that follows the events believes to be cached. */
function follow(events: readonly KvEvent[], cached: Map<string, readonly number[]>): void {
  for (const event of events) {
    if (event.kind === 'allBlocksCleared') cached.clear();
    else if (event.kind === 'blockRemoved') {
      for (const hash of event.hashes) assert.ok(cached.delete(hashText(hash)));
    } else {
      let parent = event.parentHash === undefined ? '' : hashText(event.parentHash);
      event.hashes.forEach((hash, index) => {
        const start = index * event.blockSize;
        const own = event.tokens.slice(start, start + event.blockSize);
        assert.ok(!cached.has(hashText(hash)), 'stored once');
        assert.ok(parent === '' || cached.has(parent), 'the parent is there');
        cached.set(hashText(hash), [...(cached.get(parent) ?? []), ...own]);
        parent = hashText(hash);
      });
    }
  }
}

suite('the KV cache', () => {
  test('content outlasts its sequence until its blocks are needed, the end of it first', () => {
    const kv = makeManager(4);
    const tokens = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const table = hold(kv, tokens);
    kv.release(table);
    kv.checkIntegrity([table]);
    assert.equal(prefixLength(kv, [...tokens, 13]), 3);
    hold(kv, [99]); // the block that was never used
    assert.equal(prefixLength(kv, [...tokens, 13]), 3);
    hold(kv, [98]); // the last block of the freed sequence
    assert.equal(prefixLength(kv, [...tokens, 13]), 2);
    hold(kv, [97]);
    assert.equal(prefixLength(kv, [...tokens, 13]), 1);
  });

  test('a hit makes its blocks the youngest again', () => {
    const kv = makeManager(3);
    kv.release(hold(kv, [1, 2, 3, 4]));
    kv.release(hold(kv, [5, 6, 7, 8]));
    kv.release(hold(kv, [1, 2, 3, 4, 9]));
    hold(kv, [20]);
    hold(kv, [21]);
    assert.equal(prefixLength(kv, [1, 2, 3, 4, 9]), 1);
    assert.equal(prefixLength(kv, [5, 6, 7, 8, 9]), 0);
  });

  test('a copy that was computed before the first was known stays when the first is taken', () => {
    const kv = makeManager(8);
    const tokens = [1, 2, 3, 4];
    const first = hold(kv, tokens);
    const second = hold(kv, tokens); // its only block must be computed: one token is left to sample
    assert.notEqual(first.blocks[0], second.blocks[0]);
    kv.release(first);
    for (let taken = 0; taken < 7; taken++) hold(kv, [50 + taken]);
    assert.equal(prefixLength(kv, [...tokens, 5]), 1);
    kv.release(second);
    hold(kv, [60]);
    assert.equal(prefixLength(kv, [...tokens, 5]), 0);
  });

  test('other tokens, another beginning or another salt with the same hash are no hit', () => {
    const cache = new PrefixCache({ kvBlocks: 8, blockSize: 2 });
    const hash = { high: 7, low: 9 };
    const root = (tokens: readonly number[], salt: string) =>
      ({ hash, parent: NO_BLOCK, salt, tokens, start: 0 }) as const;
    cache.store(0, root([1, 2], ''));
    assert.equal(cache.find(root([1, 3], '')), NO_BLOCK);
    assert.equal(cache.find(root([1, 2], 'salt')), NO_BLOCK);
    cache.store(1, root([1, 3], ''));
    cache.store(2, root([1, 2], 'salt'));
    const child = { hash: { high: 1, low: 1 }, salt: '', tokens: [5, 6], start: 0 };
    cache.store(3, { ...child, parent: 0 });
    assert.equal(cache.find({ ...child, parent: 1 }), NO_BLOCK);
    assert.equal(cache.find({ ...child, parent: NO_BLOCK }), NO_BLOCK);
    assert.equal(cache.find({ ...child, parent: 0 }), 3);
    assert.equal(cache.find({ ...child, parent: 0, hash: { high: 2, low: 1 } }), NO_BLOCK);
    assert.equal(cache.find({ ...child, parent: 0, hash: { high: 1, low: 2 } }), NO_BLOCK);
    const found = () =>
      [root([1, 2], ''), root([1, 3], ''), root([1, 2], 'salt')].map((key) => cache.find(key));
    assert.deepEqual(found(), [0, 1, 2]);
    cache.evict(1);
    assert.deepEqual(found(), [0, NO_BLOCK, 2]);
    cache.evict(2);
    assert.deepEqual(found(), [0, NO_BLOCK, NO_BLOCK]);
    cache.evict(0);
    assert.deepEqual(found(), [NO_BLOCK, NO_BLOCK, NO_BLOCK]);
    cache.store(0, root([7, 8], ''));
    assert.equal(cache.find({ ...child, parent: 0 }), NO_BLOCK, 'its origin was another content');
  });

  test('chained hashes tell apart what differs anywhere before', () => {
    const hashes = ['', 'a', 'b'].flatMap((salt) =>
      [
        [1, 2],
        [2, 1],
        [1, 2 ** 31],
      ].map((tokens) => {
        const chain = new HashChain(salt);
        chain.append([...tokens, 3, 4], 0, 2);
        chain.append([...tokens, 3, 4], 2, 4);
        return chain.at(1);
      }),
    );
    assert.equal(new Set(hashes.map(hashText)).size, hashes.length);
    for (const hash of hashes) assert.match(hashText(hash), /^[0-9a-f]{16}$/);
  });

  test('every bit of a hash depends on every token of its block', () => {
    const size = 16;
    const flips = new Float64Array(size * 64);
    const trials = 300;
    const hashOf = (tokens: readonly number[]): [number, number] => {
      const chain = new HashChain('');
      chain.append(tokens, 0, size);
      const { high, low } = chain.at(0);
      return [high, low];
    };
    for (let trial = 0; trial < trials; trial++) {
      const tokens = Array.from({ length: size }, (_, i) => (trial * 7919 + i * 104729) % 128256);
      const before = hashOf(tokens);
      for (let place = 0; place < size; place++) {
        const after = hashOf(tokens.with(place, tokens[place]! ^ (1 << (trial % 17))));
        for (let bit = 0; bit < 64; bit++) {
          const changed = before[bit >> 5]! ^ after[bit >> 5]!;
          flips[place * 64 + bit]! += (changed >>> (bit & 31)) & 1;
        }
      }
    }
    // Of fair coins one in 10⁸ would fall so far from a half.
    for (const flipped of flips) assert.ok(Math.abs(flipped / trials - 0.5) < 0.17, `${flipped}`);
  });

  test('two words of a hash tell apart what one does not', () => {
    const hashes = new Set<string>();
    const highs = new Set<number>();
    const count = 400_000;
    for (let number = 0; number < count; number++) {
      const tokens = [number % 1000, 7, Math.floor(number / 1000), 9];
      const chain = new HashChain('');
      chain.append(tokens, 0, tokens.length);
      highs.add(chain.at(0).high);
      hashes.add(hashText(chain.at(0)));
    }
    assert.ok(highs.size < count, 'some are equal in one of them');
    assert.equal(hashes.size, count);
  });

  test('who follows the events knows what is cached, whatever comes and goes', () => {
    const arbitraryAction = fc.record({
      tokens: fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 14 }),
      salt: fc.constantFrom('', '', 'a'),
      release: fc.nat({ max: 5 }),
      listen: fc.boolean(),
    });
    const property = fc.property(
      fc.integer({ min: 4, max: 12 }),
      fc.array(arbitraryAction, { maxLength: 40 }),
      (kvBlocks, actions) => {
        const kv = makeManager(kvBlocks);
        const cached = new Map<string, readonly number[]>();
        const tables: BlockTable[] = [];
        const tokensOf = new Map<BlockTable, readonly number[]>();
        for (const { tokens, salt, release, listen } of actions) {
          const prefix = kv.findPrefix(emptyBlockTable(salt), tokens);
          if (kv.demandOf(prefix, tokens.length) <= kv.freeBlocks) {
            const table = hold(kv, tokens, salt);
            tables.push(table);
            tokensOf.set(table, tokens);
          }
          if (release < tables.length) kv.release(tables.splice(release, 1)[0]!);
          kv.checkIntegrity(tables);
          if (!listen) continue;
          follow(kv.takeEvents(), cached);
          for (const table of tables) {
            for (let index = 0; index < table.knownBlocks; index++) {
              const expected = tokensOf.get(table)!.slice(0, (index + 1) * BLOCK_SIZE);
              assert.deepEqual(cached.get(hashText(table.hashes.at(index))), expected);
            }
          }
        }
        for (const table of tables) kv.release(table);
        kv.clearCache();
        follow(kv.takeEvents(), cached);
        assert.equal(cached.size, 0);
        for (const { tokens, salt } of actions) assert.equal(prefixLength(kv, tokens, salt), 0);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});
