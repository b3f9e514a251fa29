import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { InvalidArgumentError } from '../../services/core/support/errors.ts';
import type { ClientInterceptor } from '../../services/rpc/client.ts';
import type { ErrorDetail } from '../../services/rpc/error-details.ts';
import type { Interceptor } from '../../services/rpc/interceptor.ts';
import { MAX_METADATA_CHARACTERS } from '../../services/rpc/metadata.ts';
import type { ServerInterceptor } from '../../services/rpc/served-method.ts';
import { RpcError } from '../../services/rpc/status.ts';
import {
  ASK,
  BROKERS,
  collect,
  countForever,
  makePair,
  STREAM,
  until,
  untilAborted,
} from './toy-service.ts';

/** Notes what a call reports besides its responses, in order. */
function makeLog() {
  const log: string[] = [];
  const note = (kind: string) => (entries: ReadonlyMap<string, string>) => {
    log.push(`${kind} ${JSON.stringify([...entries])}`);
  };
  return { log, options: { onHeader: note('header'), onTrailer: note('trailer') } };
}

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  suite(`what calls over ${name} carry besides messages`, () => {
    test('headers come before the first message, trailers with the end', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.serverStreaming(STREAM, async function* (request, call) {
        call.setHeader('a', '1');
        call.setHeader('__proto__', 'odd');
        yield 'one';
        call.setTrailer('b', '2');
        yield 'two';
        if (request === 'fail') throw new RpcError('ABORTED', 'no');
        call.setTrailer('b', '3');
      });
      await serverBus.flush();
      const header = 'header [["a","1"],["__proto__","odd"]]';
      for (const [request, trailer] of [
        ['', '3'],
        ['fail', '2'],
      ] as const) {
        const { log, options } = makeLog();
        const reading = async () => {
          for await (const item of client.callServerStreaming(STREAM, request, options)) {
            log.push(item);
          }
        };
        if (request === 'fail') await assert.rejects(reading, { code: 'ABORTED' });
        else await reading();
        assert.deepEqual(log, [header, 'one', 'two', `trailer [["b","${trailer}"]]`]);
      }
    });

    test('headers arrive before a first message that is long in coming', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      let finish = () => {};
      server.serverStreaming(STREAM, async function* (_, call) {
        call.setHeader('a', '1');
        call.sendHeaders();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        yield 'at last';
      });
      await serverBus.flush();
      const onHeader = () => finish();
      assert.deepEqual(await collect(client.callServerStreaming(STREAM, '', { onHeader })), [
        'at last',
      ]);
    });

    test('a call without headers has empty ones, unless it is refused', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      server.unary(ASK, (request) => {
        if (request === 'fail') throw new RpcError('ABORTED', 'no');
        return '';
      });
      await serverBus.flush();
      const good = makeLog();
      await client.callUnary(ASK, '', good.options);
      assert.deepEqual(good.log, ['header []', 'trailer []']);
      const bad = makeLog();
      await assert.rejects(client.callUnary(ASK, 'fail', bad.options));
      assert.deepEqual(bad.log, ['trailer []']);
    });

    test('headers cannot follow the first message, and both are bounded', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      const large = 'x'.repeat(MAX_METADATA_CHARACTERS + 1);
      server.serverStreaming(STREAM, async function* (request, call) {
        if (request === 'header') call.setHeader('', large);
        if (request === 'trailer') call.setTrailer('', large);
        yield '';
        call.setHeader('late', '');
      });
      await serverBus.flush();
      const codes = {
        '': 'FAILED_PRECONDITION',
        header: 'INVALID_ARGUMENT',
        trailer: 'INVALID_ARGUMENT',
      };
      for (const [request, code] of Object.entries(codes)) {
        await assert.rejects(collect(client.callServerStreaming(STREAM, request)), { code });
      }
      const metadata = new Map([['', large]]);
      await assert.rejects(client.callUnary(ASK, '', { metadata }), {
        code: 'INVALID_ARGUMENT',
        message: /^metadata must/,
      });
    });

    test('details of every kind reach the client', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect);
      const details: ErrorDetail[] = [
        { kind: 'retryInfo', retryDelayMs: 1_500.25 },
        { kind: 'badRequest', fieldViolations: [{ field: 'top_p', description: 'too much' }] },
        { kind: 'quotaFailure', violations: [{ subject: 'key:7', description: 'spent' }] },
        {
          kind: 'errorInfo',
          reason: 'CHIP_LOST',
          domain: 'sohu',
          metadata: new Map([['rank', '3']]),
        },
        {
          kind: 'opaque',
          typeUrl: 'type.googleapis.com/other.Detail',
          value: new Uint8Array([1, 2]),
        },
        // Not what its type says: kept as it is.
        {
          kind: 'opaque',
          typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
          value: new Uint8Array([255]),
        },
      ];
      server.unary(ASK, (request) => {
        if (request === 'field') throw new InvalidArgumentError('top_k must be less, not 3');
        if (request === 'large') {
          const value = new Uint8Array(1_000_000);
          const large = [{ kind: 'opaque', typeUrl: '', value } as const];
          throw new RpcError('ABORTED', 'too much to tell', { details: large });
        }
        throw new RpcError('ABORTED', 'no', { details });
      });
      await serverBus.flush();
      await assert.rejects(client.callUnary(ASK, ''), { code: 'ABORTED', details });
      await assert.rejects(client.callUnary(ASK, 'field'), {
        code: 'INVALID_ARGUMENT',
        details: [
          {
            kind: 'badRequest',
            fieldViolations: [{ field: 'top_k', description: 'top_k must be less, not 3' }],
          },
        ],
      });
      const large = { code: 'ABORTED', message: 'too much to tell', details: [] };
      await assert.rejects(client.callUnary(ASK, 'large'), large);
    });

    test('a server beyond its bound says which, and when to try again', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const { server, client, serverBus } = await makePair(connect, {
        server: { maxOpenCalls: 1 },
      });
      server.serverStreaming(STREAM, countForever);
      await serverBus.flush();
      const open = client.callServerStreaming(STREAM, '');
      await open.next();
      await assert.rejects(collect(client.callServerStreaming(STREAM, '')), (error) => {
        const { code, details } = RpcError.from(error);
        assert.equal(code, 'RESOURCE_EXHAUSTED');
        assert.deepEqual(
          details.map(({ kind }) => kind),
          ['quotaFailure', 'retryInfo'],
        );
        return true;
      });
      await open.return();
    });

    test('a server that calls on passes its remaining time and its cancellation', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const front = await makePair(connect);
      const back = await makePair(connect, {
        server: { cluster: 'behind', serverId: 'back' },
        client: { cluster: 'behind' },
      });
      const remaining: (number | undefined)[] = [];
      front.server.unary(ASK, async (request, call) => {
        const onward = call.onward();
        remaining.push(onward.timeoutMs);
        return back.client.callUnary(ASK, request, onward);
      });
      let backSignal: AbortSignal | undefined;
      back.server.unary(ASK, (_, call) => {
        backSignal = call.signal;
        return untilAborted(call.signal);
      });
      await Promise.all([front.serverBus.flush(), back.serverBus.flush()]);
      await assert.rejects(front.client.callUnary(ASK, '', { timeoutMs: 80 }), {
        code: 'DEADLINE_EXCEEDED',
      });
      assert.ok(remaining[0]! >= 1 && remaining[0]! <= 80);
      await until(() => back.server.openCalls === 0 && front.server.openCalls === 0);
      const controller = new AbortController();
      const call = front.client.callUnary(ASK, '', { signal: controller.signal });
      await until(() => back.server.openCalls === 1);
      controller.abort();
      await assert.rejects(call, { code: 'CANCELLED' });
      await until(() => back.server.openCalls === 0 && front.server.openCalls === 0);
      assert.equal(backSignal?.aborted, true);
    });

    test('interceptors of both sides see unary calls and streams, the first outermost', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const log: string[] = [];
      const atClient = (label: string): ClientInterceptor =>
        async function* (call, next) {
          log.push(`${label} ${call.method.method} ${call.request}`);
          const metadata = new Map([...(call.context.metadata ?? []), [label, 'was here']]);
          yield* next({ ...call, context: { ...call.context, metadata } });
          log.push(`${label} done`);
        };
      const atServer: ServerInterceptor = async function* (call, next) {
        if (call.request === 'forbidden') throw new RpcError('PERMISSION_DENIED', 'not you');
        call.context.setHeader('seen', [...call.context.metadata.keys()].join());
        for await (const response of next({ ...call, request: `${call.request}!` })) {
          yield `<${response}>`;
        }
      };
      const { server, client, serverBus } = await makePair(connect, {
        client: { interceptors: [atClient('outer'), atClient('inner')] },
        server: { interceptors: [atServer] },
      });
      server.unary(ASK, (request) => request);
      server.serverStreaming(STREAM, async function* (request) {
        yield* [request, request];
      });
      await serverBus.flush();
      const onHeader = (headers: ReadonlyMap<string, string>) => {
        log.push(`seen ${headers.get('seen')}`);
      };
      assert.equal(await client.callUnary(ASK, 'hello', { onHeader }), '<hello!>');
      assert.deepEqual(log, [
        'outer Ask hello',
        'inner Ask hello',
        'seen outer,inner',
        'inner done',
        'outer done',
      ]);
      const stream = client.callServerStreaming(STREAM, 'x');
      assert.deepEqual(await collect(stream), ['<x!>', '<x!>']);
      await assert.rejects(client.callUnary(ASK, 'forbidden'), { code: 'PERMISSION_DENIED' });
    });

    test('leaving a stream early runs through the interceptors and cancels the call', async (t) => {
      const connect = await makeBroker(t);
      if (connect === undefined) return;
      const ended: string[] = [];
      const watch = <Context>(label: string): Interceptor<Context> =>
        async function* (call, next) {
          try {
            yield* next(call);
          } finally {
            ended.push(label);
          }
        };
      const { server, client, serverBus } = await makePair(connect, {
        client: { interceptors: [watch('client')] },
        server: { interceptors: [watch('server')] },
      });
      server.serverStreaming(STREAM, countForever);
      await serverBus.flush();
      for await (const item of client.callServerStreaming(STREAM, '')) if (item === '3') break;
      await until(() => server.openCalls === 0);
      assert.deepEqual(ended, ['client', 'server']);
    });
  });
}
