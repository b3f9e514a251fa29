import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { collectGarbage } from '../rpc/heap.ts';
import { type Family, parseExposition, total } from './exposition.ts';
import { type Action, courses, MonitoredCourse } from './monitored-course.ts';

const RUNS = 60;
/** The machine's stack may point at what nobody holds any more, until something else is done. */
const COLLECTIONS = 20;

/** Holds a histogram of seconds against the values that it should have counted. */
function assertHistogram(
  families: ReadonlyMap<string, Family>,
  name: string,
  micros: readonly number[],
): void {
  const { samples } = families.get(name)!;
  const buckets = samples.filter(({ labels }) => labels.le !== undefined);
  assert.ok(buckets.length > 10, name);
  for (const { labels, value } of buckets) {
    const bound = Number(labels.le!.replace('+Inf', 'Infinity'));
    assert.equal(value, micros.filter((each) => each / 1e6 <= bound).length, `${name} ${bound}`);
  }
  assert.equal(total(families, `${name}_count`), micros.length, name);
  const sum = micros.reduce((all, each) => all + each, 0) / 1e6;
  assert.ok(Math.abs(total(families, `${name}_sum`) - sum) <= 1e-9 * sum, name);
}

/** Weak references to all samples and requests of a course that is over, and what was monitored. */
async function runCourse(actions: readonly Action[]) {
  const course = new MonitoredCourse();
  const sequences = await course.run(actions);
  const held = sequences.flatMap((it) => [new WeakRef<object>(it), new WeakRef(it.request)]);
  return { course, held };
}

/** How many objects are left once memory has been collected. */
async function countAlive(held: readonly WeakRef<object>[]): Promise<number> {
  let alive = held.length;
  for (let collection = 0; alive > 0 && collection < COLLECTIONS; collection++) {
    await turn();
    collectGarbage();
    alive = held.filter((each) => each.deref() !== undefined).length;
  }
  return alive;
}

suite('the monitor of an engine', () => {
  test('counts what an account of every single token counts, whatever happens', async () => {
    const seen = { preemptions: 0, tokenless: 0, resumed: 0, gaps: 0 };
    const property = fc.asyncProperty(courses, async (actions) => {
      const course = new MonitoredCourse();
      await course.run(actions);
      const families = parseExposition(await course.monitor.metrics.allText(''));
      for (const prefix of ['vllm:', 'sohu_']) {
        assertHistogram(families, `${prefix}inter_token_latency_seconds`, course.gapsMicros);
        assertHistogram(families, `${prefix}time_to_first_token_seconds`, course.firstMicros);
      }
      const perToken = 'vllm:request_time_per_output_token_seconds';
      assertHistogram(families, perToken, course.perTokenMicros);
      const ended = Object.values(course.ends).reduce((all, count) => all + count);
      const expected = {
        sohu_generated_tokens_total: course.tokens,
        'vllm:generation_tokens_total': course.tokens,
        'vllm:prompt_tokens_total': course.promptTokens,
        'vllm:prompt_tokens_by_source_total': course.promptTokens,
        'vllm:e2e_request_latency_seconds_count': ended,
        sohu_e2e_latency_seconds_count: ended,
        'vllm:request_generation_tokens_count': ended,
      };
      for (const [name, value] of Object.entries(expected))
        assert.equal(total(families, name), value, name);
      for (const [reason, count] of Object.entries(course.ends)) {
        const labels = { finished_reason: reason };
        assert.equal(total(families, 'vllm:request_success_total', labels), count, reason);
      }
      assert.equal(total(families, 'sohu_baseline_device_seconds_total'), course.baselineSeconds);
      seen.preemptions += course.preemptions;
      seen.tokenless += course.tokenless;
      seen.resumed += course.resumed;
      seen.gaps += course.gapsMicros.length;
    });
    await fc.assert(property, { numRuns: RUNS });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no ${what}`);
  });

  test('holds no sample and no request once they are over', async () => {
    const property = fc.asyncProperty(courses, async (actions) => {
      const { course, held } = await runCourse(actions);
      const alive = await countAlive(held);
      assert.equal(alive, 0, `${alive} of ${held.length} after ${course.tokens} tokens`);
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
