import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { sohu } from '#proto';
import type { Chip } from '../../services/cluster/chip.ts';
import { ChunkAssembly } from '../../services/core/collectives/chunks.ts';
import type { Receipt, ShardFrame } from '../../services/core/collectives/frame.ts';
import { BlockPool } from '../../services/core/kv/block-pool.ts';
import { Shard } from '../../services/shard/shard.ts';
import type { JournalStore } from '../../services/sim/world/journal-store.ts';
import { type MessageCodec, WIRE_CODEC } from '../../services/sim/world/message-codec.ts';
import { runScenario } from '../../services/sim/world/run-scenario.ts';
import { drawScenario, WORLD_MODES } from '../../services/sim/world/scenario.ts';
import type { Sabotage } from '../../services/sim/world/simulation.ts';
import type { DecodedFrame } from '../../services/wire/frame-codec.ts';
import { makeLaboratory } from './laboratory.ts';

const SEEDS = 200;

/** The first seed whose world does not hold under the sabotage, and what it finds. */
function findViolation(sabotage: Sabotage): { readonly seed: number; readonly violation: string } {
  const laboratory = makeLaboratory();
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const mode of WORLD_MODES) {
      const { violation } = runScenario(drawScenario(seed, mode), laboratory, sabotage);
      if (violation !== undefined) return { seed, violation };
    }
  }
  assert.fail(`${SEEDS} seeds find nothing`);
}

/** Takes another method in the place of a class's own, as long as the test runs. */
function replaceMethod<T extends object, K extends keyof T>(
  t: TestContext,
  { prototype }: { prototype: T },
  name: K,
  make: (original: T[K]) => T[K],
): void {
  const original = prototype[name];
  prototype[name] = make(original);
  t.after(() => {
    prototype[name] = original;
  });
}

/** Decodes frames without a look at their checksum. */
function decodeUnchecked(data: Uint8Array): DecodedFrame {
  const decoded = WIRE_CODEC.decodeFrame(data);
  if (decoded.kind !== 'corrupt') return decoded;
  const { epoch, step, exchange, layer, operation, kind, source, chunk, payload } =
    sohu.v1.ShardFrame.decode(data);
  const frame = { epoch, step, exchange, layer, source, chunk, payload, modelledBytes: 0 };
  const operations = ['embedding', 'attention', 'mlp', 'step'] as const;
  const kinds = ['partial', 'result', 'requestPartial', 'requestResult'] as const;
  return {
    kind: 'frame',
    frame: { ...frame, operation: operations[operation]!, kind: kinds[kind]! },
  };
}

/** The parts of peers 1 and 2 change their places in the reduction tree. */
function swapParts(frame: ShardFrame, chip: Chip): ShardFrame {
  const shard = chip.loaded?.shard;
  const plan = shard instanceof Shard ? shard.layout.plan : undefined;
  const isPart = frame.kind === 'partial' && (frame.source === 1 || frame.source === 2);
  if (plan === undefined || plan.tensorParallel < 4 || !isPart) return frame;
  return plan.rank === 1 || plan.rank === 2 ? frame : { ...frame, source: 3 - frame.source };
}

/** A journal that says of everything that it is durable, and keeps no request. */
function forgetRequests(store: JournalStore): JournalStore {
  return {
    crash: () => store.crash(),
    open: (durable) => {
      const journal = store.open(durable);
      const recovered = journal.recovered.filter(({ kind }) => kind !== 'accepted');
      return { recovered, append: (record) => journal.append(record) };
    },
  };
}

suite('simulated worlds find it where', () => {
  const finds = (
    what: string,
    violation: RegExp,
    sabotage: Sabotage,
    before?: (t: TestContext) => void,
  ) => {
    test(what, (t) => {
      before?.(t);
      const found = findViolation(sabotage);
      t.diagnostic(`seed ${found.seed}: ${found.violation}`);
      assert.match(found.violation, violation);
    });
  };

  finds('chips do not look at the epoch of a frame', /^I8/, {
    tamper: (frame, chip) => ({ ...frame, epoch: chip.epoch }),
  });
  const codec: MessageCodec = { ...WIRE_CODEC, decodeFrame: decodeUnchecked };
  finds('chips do not look at the checksum of a frame', /^I8/, { codec });
  finds('chips count a chunk that comes twice', /^I8/, {}, (t) =>
    replaceMethod(
      t,
      ChunkAssembly,
      'receive',
      (receive) =>
        function (this: ChunkAssembly, chunk: number, payload: Uint8Array): Receipt {
          const receipt = receive.call(this, chunk, payload);
          return receipt === 'duplicate' ? 'accepted' : receipt;
        },
    ),
  );
  finds('blocks that are shared are not counted', /block \d+/, {}, (t) =>
    replaceMethod(t, BlockPool, 'share', () => () => {}),
  );
  finds('the journal does not keep requests', /^I11/, { wrapJournal: forgetRequests });
  finds('partial sums are added in another order', /^I8/, { tamper: swapParts });
});
