import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type {
  Choice,
  Completion,
  SohuClient,
  StepRecord,
  Timings,
  Usage,
} from '../../services/client/index.ts';
import { type LiveCluster, startLiveCluster } from '../gateway/live-cluster.ts';
import { until } from '../support/live-cluster.ts';
import { type Family, parseExposition, total } from './exposition.ts';
import { assertContract } from './vllm-contract.ts';

const PROMPT = 'Once upon a time there was a little';
const CONTEXT_LENGTH = 512;

async function scrape(url: string): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  return parseExposition(await response.text());
}

/** Requests of many kinds; what the clients were told of all of them. */
async function load(client: SohuClient): Promise<readonly Completion[]> {
  const texts = ['a dog', 'a cat', 'a bird', 'a fish that swam in the sea', 'a dog'];
  const plain = texts.map((text, index) =>
    client.generate({ prompt: `${PROMPT} ${text}`, maxTokens: 5 + 7 * index, temperature: 0 }),
  );
  const samples = client.generate({ prompt: PROMPT, maxTokens: 12, n: 3, seed: 7 });
  const stopped = client.generate({ prompt: PROMPT, maxTokens: 60, temperature: 0, stop: ['.'] });
  return Promise.all([...plain, samples, stopped]);
}

/** A request that its client leaves after some tokens; returns how many it saw. */
async function leave(client: SohuClient): Promise<number> {
  let seen = 0;
  const request = { prompt: PROMPT, maxTokens: 400, temperature: 0, ignoreEos: true };
  for await (const event of client.generateStream(request)) {
    if (event.kind === 'tokens' && ++seen === 3) break;
  }
  return seen;
}

async function startCluster(t: TestContext): Promise<LiveCluster | undefined> {
  return startLiveCluster(t, ['--max-model-len', String(CONTEXT_LENGTH)]);
}

function metricsUrlOf({ up }: LiveCluster, what: string): string {
  const line = new RegExp(`(http:\\S+/metrics) \\(${what}\\)`);
  return line.exec(up.printed('stdout'))![1]!;
}

suite('a live cluster', () => {
  test('counts at its gateway exactly what its clients saw, under vLLM’s names', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const completions = await load(cluster.client);
    const families = await scrape(`${cluster.url}/metrics`);
    assertContract(families, CONTEXT_LENGTH);
    const choices = completions.flatMap((completion) => completion.choices);
    const sum = (of: (choice: (typeof choices)[number]) => number): number =>
      choices.reduce((all, choice) => all + of(choice), 0);
    const expected = {
      'vllm:prompt_tokens_total': sum(({ usage }) => usage.promptTokens),
      'vllm:prompt_tokens_cached_total': sum(({ usage }) => usage.cachedTokens),
      'vllm:prefix_cache_queries_total': sum(({ usage }) => usage.promptTokens),
      'vllm:prefix_cache_hits_total': sum(({ usage }) => usage.cachedTokens),
      'vllm:generation_tokens_total': sum(({ usage }) => usage.completionTokens),
      'vllm:request_generation_tokens_sum': sum(({ usage }) => usage.completionTokens),
      'vllm:request_prompt_tokens_sum': sum(({ usage }) => usage.promptTokens),
      'vllm:request_success_total': choices.length,
      'vllm:e2e_request_latency_seconds_count': choices.length,
      'vllm:request_params_n_count': completions.length,
      'vllm:request_params_n_sum': completions.length + 2,
      'vllm:time_to_first_token_seconds_count': choices.length,
      'vllm:inter_token_latency_seconds_count': sum(({ usage }) => usage.completionTokens - 1),
      'vllm:num_preemptions_total': sum(({ preemptions }) => preemptions),
    };
    for (const [name, value] of Object.entries(expected))
      assert.equal(total(families, name), value, name);
    for (const reason of ['stop', 'length', 'abort']) {
      const ended = choices.filter(({ finishReason }) => finishReason === reason).length;
      const labels = { finished_reason: reason };
      assert.equal(total(families, 'vllm:request_success_total', labels), ended, reason);
    }
    const near = (a: number, b: number, what: string): void =>
      assert.ok(Math.abs(a - b) < 1e-6, `${what}: ${a} and ${b}`);
    const seconds = (name: string): number => total(families, `vllm:${name}_seconds_sum`);
    const inference = seconds('request_inference_time');
    near(seconds('request_prefill_time') + seconds('request_decode_time'), inference, 'inference');
    near(seconds('request_queue_time') + inference, seconds('e2e_request_latency'), 'e2e');
    near(inference, sum(({ timings }) => timings.inferenceMs) / 1000, 'what clients were told');
    const seen = await leave(cluster.client);
    const aborted = { finished_reason: 'abort' };
    let after = families;
    await until('the engine knows that its client left', async () => {
      after = await scrape(`${cluster.url}/metrics`);
      return total(after, 'vllm:request_success_total', aborted) === 1;
    });
    const told = expected['vllm:generation_tokens_total'] + seen;
    assert.ok(total(after, 'vllm:generation_tokens_total') >= told);
    assert.equal(total(after, 'sohu_gateway_engine_up', { engine: '0' }), 1);
  });

  test('shows chips as DCGM does, and lets them rest when nothing runs', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const url = metricsUrlOf(cluster, 'coordinator');
    const idle = await scrape(url);
    const util = (families: ReadonlyMap<string, Family>): number[] =>
      families.get('DCGM_FI_DEV_GPU_UTIL')!.samples.map(({ value }) => value);
    assert.deepEqual(util(idle), [0, 0]);
    let busy = idle;
    await until('the chips have worked in the last seconds', async () => {
      await load(cluster.client);
      busy = await scrape(url);
      return util(busy).every((value) => value > 0);
    });
    for (const value of util(busy)) assert.ok(value <= 100, String(value));
    const { samples } = busy.get('DCGM_FI_DEV_FB_USED')!;
    const labels = samples.map((sample) => sample.labels);
    assert.deepEqual(Object.keys(labels[0]!), ['gpu', 'UUID', 'device', 'modelName', 'hostname']);
    assert.deepEqual(
      labels.map(({ gpu }) => gpu),
      ['0', '1'],
    );
    assert.notEqual(labels[0]!.UUID, labels[1]!.UUID);
    const memory = samples[0]!.value + busy.get('DCGM_FI_DEV_FB_FREE')!.samples[0]!.value;
    assert.ok(Math.abs(memory - 144e9 / 2 ** 20) < 1e-3, String(memory));
    const power = (families: ReadonlyMap<string, Family>): number =>
      total(families, 'DCGM_FI_DEV_POWER_USAGE');
    assert.ok(power(busy) > power(idle));
    assert.equal(total(busy, 'sohu_broker_up'), 1);
    assert.ok(total(busy, 'sohu_broker_messages_total', { direction: 'in' }) > 0);
    const chip = await scrape(metricsUrlOf(cluster, 'chip 0'));
    const exchanges = (operation: string): number =>
      total(chip, 'sohu_collective_seconds_count', { operation });
    const steps = total(chip, 'sohu_chip_steps_total');
    assert.equal(exchanges('embedding'), steps);
    assert.equal(exchanges('mlp'), 6 * steps);
    assert.equal(exchanges('attention'), 6 * steps);
    assert.ok(total(chip, 'sohu_collective_bytes_total') > 0);
    const wrong = [...busy.keys(), ...chip.keys()].filter((name) => name.startsWith('vllm:'));
    assert.deepEqual(wrong, [], 'the gateway alone shows them');
  });

  test('tells those who watch of every step, and of the chips where they ask', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const { client } = cluster;
    const before = await client.telemetry.snapshot();
    assert.equal(before.state, 'serving');
    assert.equal(before.load.steps, 0);
    const stop = new AbortController();
    const plain = collect(client.telemetry.watch({ signal: stop.signal }));
    const detailed = collect(client.telemetry.watch({ detail: true, signal: stop.signal }));
    await until('both watch', async () => {
      await client.generate({ prompt: 'A', maxTokens: 1 });
      return plain.length > 0 && detailed.at(-1)?.chips.length === 2;
    });
    const { steps: earlier } = (await client.telemetry.snapshot()).load;
    const isNew = ({ step }: StepRecord): boolean => step > earlier;
    const completions = await load(client);
    const { load: after, rates, chips } = await client.telemetry.snapshot();
    await until('all is told', () =>
      [plain, detailed].every((records) => records.at(-1)!.step === after.steps),
    );
    stop.abort();
    const choices = completions.flatMap((completion) => completion.choices);
    for (const records of [plain, detailed]) {
      const told = records.filter(isNew);
      assert.deepEqual(
        told.map(({ step }) => step - earlier),
        range(1, after.steps - earlier),
      );
      assertTold(told, choices);
    }
    assert.ok(plain.every((record) => record.chips.length === 0));
    for (const record of detailed.filter(isNew)) assertDetail(record);
    assert.ok(rates.generatedTokensPerSecond > 0 && rates.deviceGeneratedTokensPerSecond > 0);
    assert.deepEqual(
      chips.map(({ rank, state }) => [rank, state]),
      [
        [0, 'ready'],
        [1, 'ready'],
      ],
    );
  });
});

/** Reads a watch until it is cancelled. */
function collect(watch: AsyncIterable<StepRecord>): readonly StepRecord[] {
  const records: StepRecord[] = [];
  const read = async (): Promise<void> => {
    for await (const record of watch) records.push(record);
  };
  read().catch((error) => assert.equal(error.code, 'CANCELLED'));
  return records;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** What an engine tells of a sample at its end, to its client and to those who watch. */
function figuresOf(
  of: Omit<Usage & Timings, 'inferenceMs' | 'e2eMs'> & { readonly preemptions: number },
): string {
  const { promptTokens, completionTokens, cachedTokens, preemptions } = of;
  const times = [of.queueMs, of.prefillMs, of.decodeMs].map((ms) => ms.toFixed(2));
  return [promptTokens, completionTokens, cachedTokens, preemptions, ...times].join(' ');
}

/** Records add up to what the clients saw. */
function assertTold(records: readonly StepRecord[], choices: readonly Choice[]): void {
  const sequences = records.flatMap((record) => record.sequences);
  const drawn = sequences.filter(({ sampled }) => sampled).length;
  const sum = (of: (choice: Choice) => number): number =>
    choices.reduce((all, choice) => all + of(choice), 0);
  assert.equal(
    drawn,
    sum(({ usage }) => usage.completionTokens),
  );
  const computed = sequences.reduce((all, { tokens }) => all + tokens, 0);
  const cached = sum(({ usage }) => usage.cachedTokens);
  // The last token of a sample is never computed.
  const tokens = sum(({ usage }) => usage.promptTokens + usage.completionTokens - 1);
  assert.equal(computed, tokens - cached);
  const ended = records.flatMap((record) => record.ended);
  assert.equal(ended.length, choices.length);
  assert.equal(
    new Set(ended.map(({ requestId, index }) => `${requestId} ${index}`)).size,
    ended.length,
  );
  assert.deepEqual(
    ended.map((end) => figuresOf({ ...end, completionTokens: end.generatedTokens })).sort(),
    choices.map((choice) => figuresOf({ ...choice, ...choice.usage, ...choice.timings })).sort(),
  );
  for (const { lost, beganMs, endedMs, deviceSeconds } of records) {
    assert.equal(lost, 0);
    assert.ok(endedMs > beganMs && deviceSeconds > 0);
  }
}

/** Segments and exchanges of a chip alternate inside of its step, and this inside of the group's. */
function assertDetail({ chips, beganMs, endedMs, sequences }: StepRecord): void {
  assert.equal(chips.length, 2);
  const rows = sequences.reduce((all, { tokens }) => all + tokens, 0);
  for (const chip of chips) {
    assert.equal(chip.tokens, rows);
    // Clocks of two processes of one machine.
    assert.ok(chip.beganMicros / 1000 > beganMs - 50 && chip.endedMicros / 1000 < endedMs + 50);
    assert.equal(chip.segments.length, 3 * 6 + 2);
    assert.equal(chip.exchanges.length, 2 * 6 + 1);
    const spans = [...chip.segments, ...chip.exchanges].sort(
      (a, b) => a.beganMicros - b.beganMicros,
    );
    for (const [index, span] of spans.entries()) {
      assert.ok(span.beganMicros >= chip.beganMicros && span.endedMicros <= chip.endedMicros);
      const next = spans[index + 1];
      assert.ok(next === undefined || next.beganMicros >= span.endedMicros);
    }
  }
}
