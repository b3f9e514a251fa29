import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RequestLog } from '../../../services/cli/top/request-log.ts';
import type { SequenceStep, StepRecord } from '../../../services/client/index.ts';
import { makeEnd } from '../../console/made-telemetry.ts';

const BLOCK = 4;

function record(sequences: readonly SequenceStep[], fields: Partial<StepRecord> = {}): StepRecord {
  return {
    ...{ step: 1, epoch: 1, beganMs: 1000, endedMs: 1003, skewMs: 0, deviceSeconds: 0 },
    ...{ deviceBeganSeconds: 0, mfu: 0, hbmBandwidth: 0, linkBandwidth: 0, binds: '' },
    ...{ running: 1, waiting: 0, kvBlocksUsed: 0, kvBlocks: 9, preemptions: 0 },
    ...{ ended: [], chips: [], lost: 0, sequences },
    ...fields,
  };
}

function part(
  requestId: string,
  [start, tokens]: readonly [number, number],
  fields: Partial<SequenceStep> = {},
): SequenceStep {
  return { requestId, index: 0, start, tokens, phase: 'decode', sampled: true, ...fields };
}

function prefill(
  requestId: string,
  range: readonly [number, number],
  sampled = true,
): SequenceStep {
  return part(requestId, range, { phase: 'prefill', sampled });
}

suite('the requests of sohu top', () => {
  test('a prompt in chunks, then a token a step', () => {
    const log = new RequestLog();
    log.take(record([prefill('a', [0, 6], false)]));
    assert.deepEqual(log.rows(BLOCK), [
      {
        ...{ requestId: 'a', index: 0, phase: 'prefill', promptTokens: undefined },
        ...{ outputTokens: 0, kvBlocks: 2, beganMs: 1000, preemptions: 0 },
      },
    ]);
    log.take(record([prefill('a', [6, 3])], { beganMs: 1010 }));
    log.take(record([part('a', [9, 1])], { beganMs: 1020 }));
    const [row] = log.rows(BLOCK);
    assert.deepEqual(
      [row!.phase, row!.promptTokens, row!.outputTokens, row!.kvBlocks, row!.beganMs],
      ['decode', 9, 2, 3, 1000],
    );
    log.take(record([], { ended: [makeEnd('a')] }));
    assert.deepEqual(log.rows(BLOCK), []);
  });

  test('who ends in a step is gone with its record', () => {
    const log = new RequestLog();
    log.take(record([prefill('a', [0, 3])]));
    log.take(record([part('a', [3, 1])], { ended: [makeEnd('a')] }));
    log.take(record([prefill('b', [0, 3])], { ended: [makeEnd('b')] }));
    assert.deepEqual(log.rows(BLOCK), []);
  });

  test('who is left out waits, and who begins anew gave way; a new epoch is nobody’s turn', () => {
    const log = new RequestLog();
    const phases = () => log.rows(BLOCK).map(({ phase, preemptions }) => [phase, preemptions]);
    log.take(record([prefill('a', [0, 3]), prefill('b', [0, 3])]));
    log.take(record([part('a', [3, 1])]));
    assert.deepEqual(phases(), [
      ['decode', 0],
      ['waiting', 0],
    ]);
    log.take(record([part('a', [4, 1]), prefill('b', [0, 4])]));
    assert.deepEqual(phases(), [
      ['decode', 0],
      ['prefill', 1],
    ]);
    assert.equal(log.rows(BLOCK)[1]!.promptTokens, 3, 'what was drawn is not part of the prompt');
    log.take(record([prefill('a', [0, 6])], { epoch: 2 }));
    assert.equal(log.rows(BLOCK)[0]!.preemptions, 0);
  });

  test('who was seen only after its prompt has none that is known', () => {
    const log = new RequestLog();
    log.take(record([part('a', [20, 1]), part('a', [20, 1], { index: 1 })]));
    assert.deepEqual(
      log.rows(BLOCK).map(({ index, promptTokens }) => [index, promptTokens]),
      [
        [0, undefined],
        [1, undefined],
      ],
    );
  });

  test('an end in a record that was lost leaves nobody behind', () => {
    const log = new RequestLog();
    log.take(record([prefill('a', [0, 3]), prefill('b', [0, 3])]));
    log.take(record([part('a', [7, 1])], { lost: 4 }));
    assert.deepEqual(
      log.rows(BLOCK).map(({ requestId }) => requestId),
      ['a'],
    );
  });
});
