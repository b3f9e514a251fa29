import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeClientFrame } from '../../services/rpc/client-frame.ts';
import { Health } from '../../services/rpc/health/health.ts';
import { HEALTH_CHECK, serveHealth } from '../../services/rpc/health/health-service.ts';
import { MAX_METADATA_CHARACTERS } from '../../services/rpc/metadata.ts';
import { methodName } from '../../services/rpc/method.ts';
import { decodeServerFrame } from '../../services/rpc/server-frame.ts';
import { heapBytes } from './heap.ts';
import { BROKERS, CLUSTER, makePair, until } from './toy-service.ts';

const FRAMES = 20_000;
const SEED = 5;
/** Frames before the memory is measured for the first time. */
const WARM_UP = FRAMES / 4;
const MAX_GROWTH_BYTES = 2 ** 20;

/** Bytes that are wrong in a known way, and so have a known outcome. */
interface Malformed {
  readonly bytes: Uint8Array;
  readonly outcome: 'dropped' | 'answered';
}

const METHOD = methodName(HEALTH_CHECK);
const noise = fc.uint8Array({ maxLength: 60 });
const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/);
const OPEN = {
  kind: 'open',
  method: METHOD,
  timeoutMs: 0,
  payload: new Uint8Array(),
  metadata: new Map<string, string>(),
  credit: { messages: 1, bytes: 1 },
} as const;

function malformed(outcome: Malformed['outcome'], bytes: fc.Arbitrary<Uint8Array>) {
  return bytes.map((each): Malformed => ({ bytes: each, outcome }));
}

/** An Open with something wrong in it; the identifier of each call is fresh. */
function opens(change: fc.Arbitrary<Partial<typeof OPEN> | object>): fc.Arbitrary<Malformed> {
  const frame = fc.tuple(fc.uuid(), change);
  return malformed(
    'answered',
    frame.map(([callId, changed]) => encodeClientFrame({ ...OPEN, callId, ...changed })),
  );
}

/** A field of a protobuf message that holds bytes. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([(number << 3) | 2, bytes.length, ...bytes]);
}

const kinds: readonly fc.Arbitrary<Malformed>[] = [
  malformed('dropped', fc.constant(new Uint8Array())),
  // Wire type 7 does not exist.
  malformed(
    'dropped',
    noise.map((bytes) => Uint8Array.from([0x0f, ...bytes])),
  ),
  // A length that goes beyond the end.
  malformed(
    'dropped',
    noise.map((bytes) => Uint8Array.from([0x0a, 0x7f, ...bytes])),
  ),
  // Groups within groups, for ever.
  malformed(
    'dropped',
    fc.integer({ min: 200, max: 5_000 }).map((n) => new Uint8Array(n).fill(0x0b)),
  ),
  // Names of calls that could become other subjects.
  malformed(
    'dropped',
    fc
      .constantFrom('', 'a.b', '*', '>', ' ', 'é', 'x'.repeat(65))
      .map((callId) => encodeClientFrame({ ...OPEN, callId })),
  ),
  // A call, and nothing of it, or nothing that this version knows.
  malformed(
    'answered',
    token.map((callId) => field(1, Buffer.from(callId))),
  ),
  malformed(
    'answered',
    fc
      .tuple(token, noise)
      .map(([callId, bytes]) => Buffer.concat([field(1, Buffer.from(callId)), field(9, bytes)])),
  ),
  // What belongs to the control subject.
  malformed(
    'answered',
    token.map((callId) => encodeClientFrame({ kind: 'cancel', callId, reason: '' })),
  ),
  malformed(
    'answered',
    token.map((callId) => encodeClientFrame({ kind: 'credit', callId, credit: OPEN.credit })),
  ),
  opens(fc.constantFrom('', 'Check', `${METHOD}.x`, 'Toy.Stream').map((method) => ({ method }))),
  opens(fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 }).map((timeoutMs) => ({ timeoutMs }))),
  opens(noise.map((bytes) => ({ payload: Uint8Array.from([0x0f, ...bytes]) }))),
  opens(
    fc.integer({ min: 1, max: 9 }).map((more) => {
      return { metadata: new Map([['x'.repeat(more), 'y'.repeat(MAX_METADATA_CHARACTERS)]]) };
    }),
  ),
];

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  test(`over ${name}, each of ${FRAMES} malformed frames is counted or answered INVALID_ARGUMENT`, async (t) => {
    const connect = await makeBroker(t);
    if (connect === undefined) return;
    const { server, client, serverBus } = await makePair(connect);
    serveHealth(server, new Health());
    await serverBus.flush();
    const attacker = await connect();
    /** The codes of the ends that came back after that, by the number of the frame. */
    const codes = new Map<string, string[]>();
    const inbox = attacker.newInbox();
    attacker.subscribe(`${inbox}.*`, ({ subject, data }) => {
      const body = decodeServerFrame(data)?.body;
      assert.ok(body !== undefined && body.kind !== 'message');
      const index = subject.slice(inbox.length + 1);
      if (body.kind !== 'end' || Number(index) <= WARM_UP) return;
      codes.set(index, [...(codes.get(index) ?? []), body.status.code]);
    });
    await attacker.flush();

    const frames = fc.sample(fc.oneof(...kinds), { numRuns: FRAMES, seed: SEED });
    let before = 0;
    for (const [index, { bytes }] of frames.entries()) {
      const replyTo = `${inbox}.${index}`;
      attacker.publish(`sohu.${CLUSTER}.api.${METHOD}`, bytes, { replyTo });
      if (index % 250 === 0) await attacker.flush();
      if (index === WARM_UP) {
        await until(() => server.openCalls === 0);
        before = heapBytes();
      }
    }
    const answered = frames.flatMap(({ outcome }, index) =>
      outcome === 'answered' && index > WARM_UP ? [`${index}`] : [],
    );
    await attacker.flush();
    await until(() => codes.size >= answered.length);
    const grown = heapBytes() - before;

    for (const index of answered) assert.deepEqual(codes.get(index), ['INVALID_ARGUMENT'], index);
    const dropped = frames.filter(({ outcome }) => outcome === 'dropped').length;
    assert.equal(server.droppedFrames, dropped);
    assert.equal(server.openCalls, 0);
    // The map of answers grows with them.
    assert.ok(grown < MAX_GROWTH_BYTES + answered.length * 400, `${grown} bytes more`);
    assert.equal(await client.callUnary(HEALTH_CHECK, ''), 'SERVING');
  });
}
