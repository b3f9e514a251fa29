import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { JournalRecord } from '../../services/cluster/journal.ts';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import { TokenGrammars } from '../../services/core/grammar/token-grammars.ts';
import type { Tokenizer } from '../../services/core/text/tokenizer.ts';
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
const VOCAB_SIZE = 64;
const END = 0;
const CONSTRAINT: Constraint = { kind: 'regex', pattern: '([A-M]{3}[n-z]{2}|[a-z]){3,9}' };

/** Every token but the first is a letter or a sign. */
const LETTERS: Tokenizer = {
  vocabSize: VOCAB_SIZE,
  encode: () => [],
  tokenBytes: (id) => (id === END ? new Uint8Array(0) : Uint8Array.of(0x3f + id)),
};

/** Each coordinator compiles anew. */
function makeGrammars(): TokenGrammars {
  return new TokenGrammars({ tokenizer: LETTERS, vocabSize: VOCAB_SIZE, endTokenIds: [END] });
}

/** A coordinator of a group whose journal keeps what `records` holds. */
function startCoordinator(
  broker: MemoryBroker,
  model: string,
  records: JournalRecord[],
  onEvent: (event: CoordinatorEvent) => void,
): CoordinatorHost {
  const host = new CoordinatorHost({
    ...{ ...PLACE, bus: broker.connect(), onEvent, vocabSize: VOCAB_SIZE },
    grammars: makeGrammars(),
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
  const draws = async (t: TestContext, constraint: Constraint | undefined): Promise<void> => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model, { seed: 4 });
    const expected = await MemoryCluster.use(
      { model, tp: 1, grammars: makeGrammars() },
      (cluster) => cluster.generate({ ...REQUEST, stopTokenIds: [END], constraint }),
    );
    const broker = new MemoryBroker();
    const records: JournalRecord[] = [];
    const tokens: number[] = [];
    startChips(t, broker);
    await new Promise<void>((resolve) => {
      const first = startCoordinator(broker, model, records, (event) => {
        if (event.kind === 'ready') {
          const { prompt, maxTokens } = REQUEST;
          const given = { ignoreEos: true, stopTokenIds: [END], constraint };
          const request = { ...given, promptTokens: prompt, maxTokens };
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
  };

  test('is followed by one that finds the chips and draws the same tokens', (t) =>
    draws(t, undefined));

  test('is followed by one that goes on with a constraint where the text stands', (t) =>
    draws(t, CONSTRAINT));
});
