import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { RpcClient } from '../../services/rpc/client.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  encodeClientFrame,
} from '../../services/rpc/client-frame.ts';
import type { ErrorDetail } from '../../services/rpc/error-details.ts';
import {
  decodeServerFrame,
  encodeServerFrame,
  type ServerFrame,
} from '../../services/rpc/server-frame.ts';
import { RpcError, STATUS_NUMBERS, type StatusCode } from '../../services/rpc/status.ts';
import { heapBytes } from './heap.ts';
import {
  BROKERS,
  CLUSTER,
  collect,
  countTo,
  makePair,
  nextTurn,
  STREAM,
  until,
} from './toy-service.ts';

const FRAMES = 20_000;
const SEED = 4;
/** Noise of the measurement, far below what leaking every frame would take. */
const MAX_GROWTH_BYTES = 2 ** 20;
const FORBIDDEN_REPLY = `sohu.${CLUSTER}.elsewhere`;
const SUBJECTS = ['Toy.Stream', 'Toy.Other', 'control.server-1', 'control.all'];
const REPLIES = ['_INBOX.fuzz.1', undefined, FORBIDDEN_REPLY, '_INBOX.fuzz.>', '_INBOX..x'];

/** Plain objects, as decoding gives them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const callId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const payload = fc.uint8Array({ maxLength: 40 });
const name = fc.string({ maxLength: 12 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const metadata = fc
  .array(fc.tuple(name, name), { maxLength: 4 })
  .map((entries) => new Map(entries));
const credit = record({ messages: uint32, bytes: fc.maxSafeNat() });

const open: fc.Arbitrary<ClientFrame> = record({
  kind: fc.constant('open' as const),
  callId,
  method: fc.constantFrom('Toy.Stream', 'Toy.Other', ''),
  timeoutMs: fc.oneof(fc.nat(50), uint32),
  payload,
  metadata,
  credit,
});
const cancel: fc.Arbitrary<ClientFrame> = record({
  kind: fc.constant('cancel' as const),
  callId,
  reason: name,
});
const grant: fc.Arbitrary<ClientFrame> = record({
  kind: fc.constant('credit' as const),
  callId,
  credit,
});
const clientFrame = fc.oneof(open, cancel, grant);

const code = fc.constantFrom(...(Object.keys(STATUS_NUMBERS) as StatusCode[]));
const detail: fc.Arbitrary<ErrorDetail> = fc.oneof(
  record({ kind: fc.constant('retryInfo' as const), retryDelayMs: fc.nat(2 ** 40) }),
  record({
    kind: fc.constant('badRequest' as const),
    fieldViolations: fc.array(record({ field: name, description: name }), { maxLength: 3 }),
  }),
  record({
    kind: fc.constant('quotaFailure' as const),
    violations: fc.array(record({ subject: name, description: name }), { maxLength: 3 }),
  }),
  record({ kind: fc.constant('errorInfo' as const), reason: name, domain: name, metadata }),
  record({ kind: fc.constant('opaque' as const), typeUrl: name, value: payload }),
);
const details = fc.array(detail, { maxLength: 3 });
const serverFrame: fc.Arbitrary<ServerFrame> = record({
  callId,
  sequence: fc.oneof(fc.nat(4), uint32),
  body: fc.oneof(
    record({ kind: fc.constant('accepted' as const), serverId: callId }),
    record({ kind: fc.constant('message' as const), payload }),
    fc.constant({ kind: 'heartbeat' as const }),
    record({ kind: fc.constant('headers' as const), headers: metadata }),
    record({
      kind: fc.constant('end' as const),
      status: record({ code, message: name, details }),
      messageCount: uint32,
      trailers: metadata,
    }),
  ),
});

/** Valid bytes with a few changed, cut off or doubled. */
function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  return fc
    .tuple(valid, fc.array(change, { maxLength: 4 }), fc.nat(), fc.boolean())
    .map(([bytes, changes, cut, cuts]) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, value] of changes) copy[at % Math.max(1, copy.length)] = value;
      return cuts ? copy.subarray(0, cut % (copy.length + 1)) : copy;
    });
}

const hostileClientBytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  mutated(clientFrame.map(encodeClientFrame)),
);
const hostileServerBytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  mutated(serverFrame.map(encodeServerFrame)),
);

test('frames survive their encoding', () => {
  fc.assert(
    fc.property(clientFrame, (frame) => {
      assert.deepEqual(decodeClientFrame(encodeClientFrame(frame)), frame);
    }),
  );
  fc.assert(
    fc.property(serverFrame, (frame) => {
      assert.deepEqual(decodeServerFrame(encodeServerFrame(frame)), frame);
    }),
  );
});

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  suite(`hostile bytes over ${name}`, () => {
    test(`${FRAMES} random and mutated frames do not disturb a server`, async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      // Many of the calls that it takes get no credit, ever.
      const { server, client, serverBus, clientBus } = await makePair(connect, {
        server: { stallTimeoutMs: 20 },
      });
      server.serverStreaming(STREAM, () => countTo('3'));
      let forged = 0;
      clientBus.subscribe(FORBIDDEN_REPLY, () => {
        forged += 1;
      });
      await clientBus.flush();
      await serverBus.flush();
      const attack = fc.tuple(
        hostileClientBytes,
        fc.constantFrom(...SUBJECTS),
        fc.constantFrom(...REPLIES),
      );
      const attacker = await connect();
      const frames = fc.sample(attack, { numRuns: FRAMES, seed: SEED });
      let before = 0;
      for (const [index, [bytes, subject, replyTo]] of frames.entries()) {
        attacker.publish(`sohu.${CLUSTER}.api.${subject}`, bytes, replyTo ? { replyTo } : {});
        if (index % 500 === 0) await attacker.flush();
        if (index === FRAMES / 4) {
          await until(() => server.openCalls === 0);
          before = heapBytes();
        }
      }
      await attacker.flush();
      await until(() => server.openCalls === 0);
      const grown = heapBytes() - before;
      assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes more`);
      assert.deepEqual(await collect(client.callServerStreaming(STREAM, '')), ['0', '1', '2']);
      await serverBus.flush();
      await clientBus.flush();
      assert.ok(server.droppedFrames > 0);
      assert.equal(forged, 0, 'the server answered outside an inbox');
    });
  });
}

test(`a hostile server with ${FRAMES} frames cannot crash or hang a client`, async () => {
  const broker = new MemoryBroker();
  const bus = broker.connect();
  const client = new RpcClient(broker.connect(), {
    cluster: CLUSTER,
    connectTimeoutMs: 50,
    idleTimeoutMs: 50,
  });
  const script = fc.array(hostileServerBytes, { minLength: 1, maxLength: 12 });
  const scripts = fc.sample(script, { numRuns: FRAMES / 4, seed: SEED });
  assert.ok(scripts.flat().length >= FRAMES);
  let before = 0;
  let next = 0;
  bus.subscribe(`sohu.${CLUSTER}.api.Toy.*`, ({ replyTo, data }) => {
    const frame = decodeClientFrame(data)!;
    for (const bytes of scripts[next++ % scripts.length]!) {
      const forged = decodeServerFrame(bytes);
      // Half of what can be read names the right call, so that it gets past the first check.
      const aimed =
        forged && next % 2 ? encodeServerFrame({ ...forged, callId: frame.callId }) : bytes;
      bus.publish(replyTo!, aimed);
    }
  });
  for (let i = 0; i < scripts.length; i += 250) {
    if (i === scripts.length / 4) before = heapBytes();
    const calls = Array.from({ length: 250 }, () =>
      collect(client.callServerStreaming(STREAM, '')).catch((error: unknown) => {
        assert.ok(error instanceof RpcError, String(error));
      }),
    );
    await Promise.all(calls);
    await nextTurn();
  }
  assert.equal(client.openCalls, 0);
  const grown = heapBytes() - before;
  assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes more`);
});
