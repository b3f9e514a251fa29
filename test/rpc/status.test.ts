import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError, ModelError } from '../../services/core/support/errors.ts';
import { RpcError, STATUS_NUMBERS, statusCodeOf } from '../../services/rpc/status.ts';

test('the codes are the seventeen of gRPC', () => {
  assert.deepEqual(
    Object.values(STATUS_NUMBERS),
    Array.from({ length: 17 }, (_, number) => number),
  );
  for (const [code, number] of Object.entries(STATUS_NUMBERS)) {
    assert.equal(statusCodeOf(number), code);
  }
  assert.equal(statusCodeOf(17), 'UNKNOWN');
});

test('anything thrown has a code, and stays the cause', () => {
  const cases: [unknown, string][] = [
    [new InvalidArgumentError('x'), 'INVALID_ARGUMENT'],
    [new ModelError('x'), 'FAILED_PRECONDITION'],
    [AbortSignal.abort().reason, 'CANCELLED'],
    [new DOMException('x', 'TimeoutError'), 'DEADLINE_EXCEEDED'],
    [new TypeError('x'), 'INTERNAL'],
    ['x', 'UNKNOWN'],
    [undefined, 'UNKNOWN'],
  ];
  for (const [thrown, code] of cases) {
    const error = RpcError.from(thrown);
    assert.equal(error.code, code);
    assert.equal(error.cause, thrown);
  }
  const error = new RpcError('ABORTED', 'x');
  assert.equal(RpcError.from(error), error);
});

test('a signal that fires is a cancellation, or a deadline', () => {
  assert.equal(RpcError.fromAbort(new Error('the user left')).code, 'CANCELLED');
  assert.equal(RpcError.fromAbort('no reason').code, 'CANCELLED');
  const timeout = new DOMException('x', 'TimeoutError');
  assert.equal(RpcError.fromAbort(timeout).code, 'DEADLINE_EXCEEDED');
});
