import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TraceEvent } from '../../services/sim/capacity/trace-events.ts';
import { startLiveCluster } from '../gateway/live-cluster.ts';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const SECONDS = 2;

test('sohu trace writes what a live cluster does, in host and in device time', async (t) => {
  const cluster = await startLiveCluster(t);
  if (cluster === undefined) return;
  const out = join(makeTemporaryDirectory(t), 'trace.json');
  const tracing = runCli(t, cluster.env, ['trace', '--seconds', String(SECONDS), '--out', out]);
  let isOver = false;
  void tracing.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const request = { prompt: 'Once', maxTokens: 8, n: 2, temperature: 1 };
    await Promise.all([cluster.client.generate(request), cluster.client.generate(request)]);
  }
  const { code, stderr } = await tracing;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^\d+ steps in .*trace\.json/m);
  const { traceEvents } = JSON.parse(readFileSync(out, 'utf8')) as { traceEvents: TraceEvent[] };
  const groups = new Map(
    traceEvents
      .filter(({ name }) => name === 'process_name')
      .map(({ pid, args }) => [args!.name as string, pid]),
  );
  const spans = (group: string): TraceEvent[] =>
    traceEvents.filter(({ ph, pid }) => ph === 'X' && pid === groups.get(group));
  const steps = spans('engine (host time)');
  assert.ok(steps.length > 5, String(steps.length));
  assert.match(stderr, new RegExp(`^${steps.length} steps`, 'm'));
  assert.equal(spans('engine (device time)').length, steps.length);
  for (const clock of ['host time', 'device time']) {
    assertNoOverlap(spans(`engine (${clock})`));
    assertNoOverlap(spans(`requests (${clock})`));
  }
  assert.ok(steps.at(-1)!.ts! + steps.at(-1)!.dur! < (SECONDS + 1) * 1e6);
  const requests = spans('requests (host time)');
  assert.ok(requests.some(({ name }) => name.startsWith('prefill ')));
  assert.ok(requests.some(({ name }) => name.startsWith('decode ')));
  for (const rank of [0, 1]) {
    const chip = spans(`chip ${rank} (host time)`);
    assert.ok(chip.some(({ name }) => name === 'attention'));
    assert.ok(chip.some(({ name }) => name.startsWith('mlp, ')));
    assertNoOverlap(chip);
  }
});

test('sohu trace says so where no cluster runs', async (t) => {
  const { code, stderr } = await runCli(t, makeCliEnvironment(t), ['trace', '--cluster', 'none']);
  assert.equal(code, 2);
  assert.match(stderr, /^error: cluster must be one that runs, which none does, not "none"/);
});

/** Spans of one track follow each other. */
function assertNoOverlap(spans: readonly TraceEvent[]): void {
  const ends = new Map<number, number>();
  for (const { name, tid, ts, dur } of spans.toSorted((a, b) => a.ts! - b.ts!)) {
    // Sums of fractions of a microsecond.
    assert.ok(ts! >= (ends.get(tid!) ?? -1) - 0.5, `${name} at ${ts} on track ${tid}`);
    ends.set(tid!, ts! + dur!);
  }
}
