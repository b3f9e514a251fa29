import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { JournalRecord } from '../../services/cluster/journal.ts';
import { ChipHost } from '../../services/runtime/chip/chip-host.ts';
import { CoordinatorHost } from '../../services/runtime/coordinator/coordinator-host.ts';
import { writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const CHIPS = 2;
const PLACE = { cluster: 'test', group: '0' };
const LIMITS = { maxNumSeqs: 4, maxNumBatchedTokens: 32, blockSize: 16 };
const REQUEST = { prompt: [3, 1, 4, 1, 5, 9], maxTokens: 40 };

/** A coordinator of a group whose journal keeps what `records` holds. */
function startCoordinator(
  broker: MemoryBroker,
  model: string,
  records: JournalRecord[],
  onEvent: (event: CoordinatorEvent) => void,
): CoordinatorHost {
  const host = new CoordinatorHost({
    ...{ ...PLACE, bus: broker.connect(), onEvent, vocabSize: 64 },
    spec: {
      ...{ ...LIMITS, model, precision: 'f32', kvCacheDtype: 'auto', tensorParallel: CHIPS },
      numGpuBlocksOverride: 16,
    },
    scheduler: makeSchedulerOptions({ ...LIMITS, maxModelLen: 128 }),
    stepTimeoutMicros: 60e6,
    patienceMicros: 60e6,
    journal: { recovered: [...records], append: (record) => records.push(record) },
  });
  host.start();
  return host;
}

function startChips(t: TestContext, broker: MemoryBroker): void {
  const chips = Array.from({ length: CHIPS }, (_, rank) => {
    const bus = broker.connect({ noEcho: true });
    const options = { threads: 1, metricsAddress: '', onStep: () => {} };
    return new ChipHost({ ...PLACE, ...options, bus, rank });
  });
  t.after(() => Promise.all(chips.map((chip) => chip.close())));
  for (const chip of chips) chip.start();
}

suite('a live coordinator that ends in the middle of a request', () => {
  test('is followed by one that finds the chips and draws the same tokens', async (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model, { seed: 4 });
    const expected = await MemoryCluster.use({ model, tp: 1 }, (cluster) =>
      cluster.generate(REQUEST),
    );
    const broker = new MemoryBroker();
    const records: JournalRecord[] = [];
    const tokens: number[] = [];
    startChips(t, broker);
    await new Promise<void>((resolve) => {
      const first = startCoordinator(broker, model, records, (event) => {
        if (event.kind === 'ready') {
          const { prompt, maxTokens } = REQUEST;
          const request = { promptTokens: prompt, maxTokens, ignoreEos: true };
          queueMicrotask(() => first.coordinator.submit(makeGenerationRequest(request)));
        }
        if (event.kind === 'token') tokens.push(event.drawn.token);
        if (tokens.length < 5) return;
        first.close();
        resolve();
      });
    });
    const before = tokens.length;
    let epoch = 0;
    await new Promise<void>((resolve) => {
      const second = startCoordinator(broker, model, records, (event) => {
        if (event.kind === 'ready') epoch = event.epoch;
        if (event.kind === 'token') tokens.push(event.drawn.token);
        if (event.kind !== 'token' || event.finishReason === undefined) return;
        second.close();
        resolve();
      });
    });
    assert.ok(before < tokens.length && epoch > 1);
    assert.deepEqual(tokens, expected.tokens);
  });
});
