import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ChipSequences } from '../../services/cluster/chip-sequences.ts';
import { stepLimits } from '../../services/cluster/exact-program.ts';
import type {
  Command,
  LogitsRequest,
  SequenceAdmission,
  StepCommand,
  StepSequence,
} from '../../services/cluster/messages.ts';
import { checkStep, type StepFault } from '../../services/cluster/step-check.ts';
import { planShard } from '../../services/core/model/shard-plan.ts';
import { GREEDY } from '../../services/core/sampling/params.ts';
import type { TokenMask } from '../../services/core/sampling/token-mask.ts';
import { planLayout } from '../../services/shard/layout.ts';
import { Shard } from '../../services/shard/shard.ts';
import { makeConfig } from '../core/model-configs.ts';
import { writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { arbitraryCommand } from '../wire/arbitraries.ts';
import { VirtualGroup } from './virtual-group.ts';

const LAYOUT = planLayout(
  planShard(makeConfig({ vocabSize: 50, maxPositions: 24 }), 2, 1),
  {
    ...{ precision: 'f32', kvFormat: 'f32', blockSize: 4, kvBlocks: 10 },
    ...{ maxRows: 12, maxSequences: 3, threads: 1 },
  },
  0,
);

const LIMITS = stepLimits({ layout: LAYOUT });

const ADMISSION: SequenceAdmission = {
  ...{ sampling: GREEDY, choice: 0, promptLength: 5, minTokens: 0, stopTokenIds: [], history: [] },
};
const COUNTED: SequenceAdmission = {
  ...ADMISSION,
  sampling: { ...GREEDY, presencePenalty: 1 },
};

const LACKING: TokenMask = { kind: 'tokens', tokens: [LAYOUT.plan.config.vocabSize] };
const OTHER: TokenMask = { kind: 'bits', bits: new Uint8Array(0) };

function part(fields: Partial<StepSequence>): StepSequence {
  const usual = { id: 7, tokens: [1, 2], start: 5, sample: true, blocks: [] };
  const absent = { mask: undefined, targets: undefined, admission: undefined };
  const filled = { ...usual, ...absent, ...fields };
  return { count: filled.tokens.length, ...filled };
}

function joining(fields: Partial<StepSequence>): StepSequence {
  return part({ id: 8, start: 0, blocks: [4], admission: ADMISSION, ...fields });
}

function command(
  sequences: readonly StepSequence[],
  released: readonly number[] = [],
): StepCommand {
  return { kind: 'step', epoch: 1, step: 2, sequences, released, traced: false };
}

/** A chip that knows sequence 7, five tokens long in two blocks. */
function makeSequences(): ChipSequences {
  const sequences = new ChipSequences(LAYOUT.plan.tokens);
  const tokens = [3, 1, 4, 1, 5];
  sequences.update(command([joining({ id: 7, tokens, blocks: [2, 9] })]));
  return sequences;
}

suite('checking a step command', () => {
  const sound: [string, StepCommand][] = [
    ['a sequence that continues', command([part({})])],
    ['one that gains a block', command([part({ tokens: [1, 2, 3, 4], blocks: [0] })])],
    ['one that joins beside it', command([part({}), joining({})])],
    ['one that joins after a prefix', command([joining({ start: 4, blocks: [4, 5] })])],
    [
      'one whose prefix is counted',
      command([
        joining({ start: 4, blocks: [4, 5], admission: { ...COUNTED, history: [1, 2, 3, 4] } }),
      ]),
    ],
    ['one that joins again', command([joining({ id: 7 })])],
    ['one that tells of its prompt', command([part({ targets: { start: 6, tokens: [1, 2] } })])],
    ['one that is released', command([joining({})], [7])],
    ['one whose number is below the one before it', command([joining({ id: 9 }), part({})])],
    [
      'one as long as the context',
      command([part({ tokens: new Array<number>(12).fill(1), blocks: [0, 1, 3] })]),
    ],
  ];
  for (const [what, sent] of sound) {
    test(`takes ${what}`, () => {
      assert.equal(checkStep(sent, makeSequences(), LIMITS), undefined);
    });
  }

  const wrong: [string, StepFault, StepCommand][] = [
    ['no sequences', 'size', command([])],
    ['a sequence without tokens', 'size', command([part({}), joining({ tokens: [] })])],
    ['too many rows', 'size', command([part({ tokens: new Array<number>(13).fill(1) })])],
    [
      'too many sequences',
      'size',
      command([8, 9, 10, 11].map((id) => joining({ id, blocks: [id - 8] }))),
    ],
    [
      'more rows of logits than buffers',
      'size',
      command([part({ tokens: [1, 2, 3], targets: { start: 6, tokens: [1, 2, 3] } })]),
    ],
    [
      'a target before the rows',
      'position',
      command([part({ targets: { start: 5, tokens: [1] } })]),
    ],
    [
      'a target beyond the rows',
      'position',
      command([part({ sample: false, targets: { start: 7, tokens: [1, 2] } })]),
    ],
    [
      'a target that the vocabulary lacks',
      'token',
      command([part({ targets: { start: 6, tokens: [50] } })]),
    ],
    ['a sequence that nobody admitted', 'sequence', command([part({ id: 6 })])],
    ['a sequence that was released', 'sequence', command([part({})], [7])],
    ['a sequence twice', 'sequence', command([part({ tokens: [1] }), part({ start: 6 })])],
    [
      'a sequence twice, another between',
      'sequence',
      command([part({}), joining({ id: 9 }), part({})]),
    ],
    ['a gap', 'position', command([part({ start: 6 })])],
    ['a step back', 'position', command([part({ start: 4 })])],
    [
      'more than the context',
      'position',
      command([joining({ start: 23, blocks: [0, 1, 2, 3, 4, 5] })]),
    ],
    ['a history that is short', 'position', command([joining({ admission: COUNTED, start: 1 })])],
    [
      'a history that nothing counts',
      'position',
      command([joining({ admission: { ...ADMISSION, history: [1] }, start: 1 })]),
    ],
    ['a token that the vocabulary lacks', 'token', command([part({ tokens: [1, 50] })])],
    [
      'a history that the vocabulary lacks',
      'token',
      command([joining({ admission: { ...COUNTED, history: [50] }, start: 1 })]),
    ],
    ['a block that memory lacks', 'block', command([part({ blocks: [10] })])],
    ['rows without a block', 'block', command([part({ tokens: [1, 2, 3, 4] })])],
    ['rows without a block at admission', 'block', command([joining({ id: 7, blocks: [] })])],
    ['a mask of a token that the model lacks', 'mask', command([part({ mask: LACKING })])],
    ['a mask of another vocabulary', 'mask', command([part({ mask: OTHER })])],
    ['a table longer than the context', 'block', command([part({ blocks: [0, 1, 3, 4, 5] })])],
  ];
  for (const [what, fault, sent] of wrong) {
    test(`refuses ${what}`, () => {
      assert.equal(checkStep(sent, makeSequences(), LIMITS), fault);
    });
  }

  test('whatever passes, the shard can take', () => {
    const shard = new Shard(LAYOUT, new ArrayBuffer(LAYOUT.bytes));
    const small = fc.nat({ max: 12 });
    const smalls = fc.array(small, { maxLength: 6 });
    const arbitraryPart = fc.record({
      id: fc.integer({ min: 6, max: 8 }),
      tokens: fc.array(fc.nat({ max: 51 }), { maxLength: 7 }),
      start: fc.oneof(fc.constantFrom(0, 5), small),
      sample: fc.boolean(),
      mask: fc.constant(undefined),
      blocks: smalls,
      admission: fc.option(fc.constant(ADMISSION), { nil: undefined }),
    });
    let passed = 0;
    const property = fc.property(
      fc.array(arbitraryPart, { minLength: 1, maxLength: 4 }),
      smalls,
      (parts, released) => {
        const sequences = makeSequences();
        const sent = command(
          parts.map((p) => part(p)),
          released,
        );
        if (checkStep(sent, sequences, LIMITS) !== undefined) return;
        sequences.update(sent);
        shard.writeBatch(parts.map((p) => ({ ...p, blocks: sequences.get(p.id).blocks })));
        passed++;
      },
    );
    fc.assert(property, { numRuns: 3000 });
    assert.ok(passed > 100, `${passed} passed`);
  });
});

/** What a broken coordinator could say in the group's epoch: some token is in no vocabulary. */
function breakCommand(any: StepCommand | LogitsRequest): Command {
  if (any.kind === 'logits') return { ...any, epoch: 1 };
  const sequences = any.sequences.map((sequence) => ({
    ...sequence,
    tokens: [...sequence.tokens, 0xffffffff],
  }));
  return { ...any, epoch: 1, sequences };
}

suite('a chip that gets wrong commands', () => {
  test('counts them, and goes on as if they had not come', async (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model, { seed: 3 });
    const requests = [{ prompt: [3, 1, 4, 1, 5], maxTokens: 6 }];
    const [expected] = (await VirtualGroup.start({ model, tp: 1 })).generate(requests);
    const property = fc.asyncProperty(
      fc.array(fc.tuple(arbitraryCommand, fc.nat({ max: 4000 })), { minLength: 1, maxLength: 20 }),
      async (commands) => {
        const group = await VirtualGroup.start({ model, tp: 2 });
        const { outcome } = group.submit(requests[0]!);
        let sent = 0;
        for (const [any, delayMicros] of commands) {
          group.pass(delayMicros);
          if (any.kind === 'join' || any.kind === 'heartbeat') continue;
          for (const chip of group.chips) chip.receiveCommand(breakCommand(any));
          if (any.kind === 'step') sent++;
        }
        group.run(() => outcome.done);
        assert.deepEqual(outcome, expected);
        for (const { meter } of group.chips) {
          const refused = [...meter.refusals.values()].reduce((sum, count) => sum + count, 0);
          assert.equal(refused, sent);
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  test('refuses a command that comes again', async (t) => {
    const model = makeTemporaryDirectory(t);
    writeHfCheckpoint(model, { seed: 3 });
    const group = await VirtualGroup.start({ model, tp: 2 });
    const { network } = group;
    group.network = {
      ...network,
      command: (data, rank) => [...network.command(data, rank), { data, delayMicros: 120 }],
    };
    const [outcome] = group.generate([{ prompt: [3, 1, 4], maxTokens: 3 }]);
    assert.equal(outcome!.tokens.length, 3);
    group.pass(1000);
    assert.equal(group.chips[1]!.meter.refusals.get('order'), 3);
  });
});
