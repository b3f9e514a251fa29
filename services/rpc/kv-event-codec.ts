import { sohu } from '#proto';
import type { KvEvent } from '../core/kv/kv-events.ts';
import type { KvEventBatch } from './inference-types.ts';

const { KvEventBatch: KvEventBatchMessage } = sohu.v1;

export function encodeKvEventBatch(batch: KvEventBatch): Uint8Array {
  const events = batch.events.map(eventFields);
  return KvEventBatchMessage.encode({ ...batch, events }).finish();
}

/** Throws where an event is none that is known. */
export function decodeKvEventBatch(bytes: Uint8Array): KvEventBatch {
  const { sequenceNumber, timestampMs, events } = KvEventBatchMessage.decode(bytes);
  return { sequenceNumber, timestampMs, events: events.map(decodeEvent) };
}

function eventFields(event: KvEvent<string>): sohu.v1.KvCacheEvent.$Properties {
  switch (event.kind) {
    case 'blockStored': {
      const { hashes, parentHash, tokens, blockSize } = event;
      const parentBlockHash = parentHash ?? null;
      const stored = {
        blockHashes: [...hashes],
        parentBlockHash,
        tokenIds: [...tokens],
        blockSize,
      };
      return { stored };
    }
    case 'blockRemoved':
      return { removed: { blockHashes: [...event.hashes] } };
    case 'allBlocksCleared':
      return { cleared: {} };
  }
}

function decodeEvent({
  stored,
  removed,
  cleared,
}: sohu.v1.KvCacheEvent.$Properties): KvEvent<string> {
  if (stored) {
    return {
      kind: 'blockStored',
      hashes: stored.blockHashes ?? [],
      parentHash: stored.parentBlockHash ?? undefined,
      tokens: stored.tokenIds ?? [],
      blockSize: stored.blockSize ?? 0,
    };
  }
  if (removed) return { kind: 'blockRemoved', hashes: removed.blockHashes ?? [] };
  if (cleared) return { kind: 'allBlocksCleared' };
  throw new Error('a KV event must be stored, removed or cleared');
}
