import type { KvEventBatch } from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';

/**
 * Passes batches on while their numbers have no gap, from `start` or from whatever the first is; a
 * gap fails with DATA_LOSS.
 */
export async function* checkedBatches(
  batches: AsyncIterable<KvEventBatch>,
  start: number | undefined,
): AsyncGenerator<KvEventBatch, void, undefined> {
  let due = start;
  for await (const batch of batches) {
    const { sequenceNumber } = batch;
    if (due !== undefined && sequenceNumber !== due) {
      throw new RpcError(
        'DATA_LOSS',
        `the server sent batch ${sequenceNumber} where batch ${due} was due`,
      );
    }
    due = sequenceNumber + 1;
    yield batch;
  }
}
