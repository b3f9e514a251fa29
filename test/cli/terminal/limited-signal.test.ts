import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { LimitedSignal } from '../../../services/cli/terminal/limited-signal.ts';
import { collectGarbage } from '../../rpc/heap.ts';

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

suite('a limited signal', () => {
  test('fires after its time though memory was collected in between', async () => {
    const limited = new LimitedSignal(new AbortController().signal);
    limited.after(20, 'over');
    const reason = aborted(limited.signal);
    collectGarbage();
    assert.equal(await reason, 'over');
  });

  test('fires with its source, also where that has fired before', () => {
    const source = new AbortController();
    const before = new LimitedSignal(source.signal);
    source.abort('stop');
    assert.equal(before.signal.reason, 'stop');
    assert.equal(new LimitedSignal(source.signal).signal.reason, 'stop');
  });

  test('does not fire once it is released', async () => {
    const source = new AbortController();
    const limited = new LimitedSignal(source.signal);
    limited.after(1, 'over');
    limited.release();
    source.abort();
    const later = new LimitedSignal(new AbortController().signal);
    later.after(2, 'later');
    await aborted(later.signal);
    assert.equal(limited.signal.aborted, false);
  });
});
