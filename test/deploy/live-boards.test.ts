import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Completion, SohuClient } from '../../services/client/index.ts';
import { type LiveCluster, startLiveCluster } from '../gateway/live-cluster.ts';
import { until } from '../support/live-cluster.ts';
import { type DrawnPanel, drawBoards } from './board-page.ts';
import { boardPanels, fillIn } from './boards.ts';
import { runProgram } from './programs.ts';
import {
  type Line,
  type PrometheusServer,
  startPrometheus,
  type Targets,
} from './prometheus-server.ts';

/** So little KV cache that samples give way to each other. */
const CLUSTER = ['--max-num-seqs', '8', '--num-gpu-blocks-override', '16', '--block-size', '4'];
const DEADLINE_MS = 60_000;
/** Of which the page shows the last part, as a board would. */
const SHOWN_SECONDS = 40;

interface VllmBoards {
  readonly classic: Readonly<Record<string, readonly string[]>>;
  readonly overview: Readonly<Record<string, readonly string[]>>;
}

function targetsOf({ up, url }: LiveCluster): Targets {
  const printed = up.printed('stdout');
  const chips = [...printed.matchAll(/http:\/\/(\S+)\/metrics \(chip (\d)\)/g)];
  return new Map([
    ['coordinator', /http:\/\/(\S+)\/metrics \(coordinator\)/.exec(printed)![1]!],
    ['gateway', url.replace('http://', '')],
    ...chips.map(([, address, rank]) => [`chip-${rank}`, address!] as const),
  ]);
}

/** Requests that come in waves until somebody stops them; remembers what their clients saw. */
class Load {
  readonly completions: Completion[] = [];
  readonly #client: SohuClient;
  readonly #url: string;
  #isOver = false;
  readonly #done: Promise<void>;

  constructor({ client, url }: LiveCluster) {
    this.#client = client;
    this.#url = url;
    this.#done = this.#run();
  }

  stop(): Promise<void> {
    this.#isOver = true;
    return this.#done;
  }

  async #run(): Promise<void> {
    for (let wave = 0; !this.#isOver; wave++) {
      const lengths = Array.from({ length: 12 }, (_, index) => 4 + ((wave + index) % 5) * 6);
      const requests = lengths.map((maxTokens, index) => {
        const prompt = `Once upon a time there was a number ${index % 4}`;
        return this.#client.generate({ prompt, maxTokens, temperature: 0, ignoreEos: true });
      });
      this.completions.push(...(await Promise.all(requests)));
      await fetch(`${this.#url}/v1/models`);
    }
  }
}

test('every query, rule and alert finds its series in a live cluster', async (t) => {
  if (runProgram(t, 'prometheus', ['--version']) === undefined) return;
  const cluster = await startLiveCluster(t, CLUSTER);
  if (cluster === undefined) return;
  const prometheus = await startPrometheus(t, targetsOf(cluster));
  const load = new Load(cluster);
  t.after(() => load.stop());

  await t.test('every panel and recording rule', async () => {
    const panels = boardPanels().flatMap(({ board, title, queries }) =>
      queries.map(({ expression }) => ({ name: `${board}: ${title}`, expression })),
    );
    const rules = (await prometheus.rules()).filter(({ type }) => type === 'recording');
    assert.ok(rules.length > 10);
    const recorded = rules.map(({ name }) => ({ name, expression: name }));
    await untilAllFound(prometheus, [...panels, ...recorded]);
  });

  await t.test('the boards of vLLM', async () => {
    const boards = JSON.parse(readFileSync('test/deploy/vllm-boards.json', 'utf8')) as VllmBoards;
    const queries = Object.entries({ ...boards.classic, ...boards.overview }).flatMap(
      ([name, expressions]) =>
        expressions.map((text) => ({
          name,
          expression: fillIn(text).replaceAll('$model_name', 'tinystories-5m'),
        })),
    );
    await untilAllFound(prometheus, queries);
  });

  await t.test('the alerts, of which none is raised', async () => {
    const alerts = (await prometheus.rules()).filter(({ type }) => type === 'alerting');
    assert.ok(alerts.length > 5);
    for (const { name, query, health, lastError } of alerts) {
      assert.equal(health, 'ok', `${name}: ${lastError}`);
      const series = query.match(/\b(?:up|vllm:\w+|sohu[\w:]+)\b/g) ?? [];
      assert.ok(series.length > 0, name);
      for (const each of series) {
        assert.ok((await prometheus.query(`count(${each})`)).length > 0, `${name}: ${each}`);
      }
    }
    const faults = ['SohuChipDown', 'SohuChipNotReady', 'SohuEngineUnreachable', 'SohuEpochChurn'];
    const raised = await prometheus.query(`ALERTS{alertname=~"${faults.join('|')}"}`);
    assert.deepEqual(raised, []);
  });

  await t.test('a page draws every panel', async (context) => {
    const drawn = await drawBoards(context, (expression) => untilLines(prometheus, expression));
    if (drawn !== undefined) assertDrawn(drawn);
  });

  await t.test('counts that are those of the clients', async () => {
    await load.stop();
    await assertCounts(prometheus, load.completions);
  });
});

/** Asks until each has given numbers; names those that have not. */
async function untilAllFound(
  prometheus: PrometheusServer,
  queries: readonly { readonly name: string; readonly expression: string }[],
): Promise<void> {
  const pending = new Set(queries);
  for (const startMs = performance.now(); pending.size > 0; ) {
    for (const query of pending) {
      const lines = await prometheus.query(query.expression);
      // A mean of nothing is not a number: operations that are not used are some.
      if (lines.some(({ points }) => Number.isFinite(points[0]![1]))) pending.delete(query);
    }
    if (performance.now() - startMs < DEADLINE_MS) continue;
    const empty = [...pending].map(({ name, expression }) => `${name}: ${expression}`);
    assert.deepEqual(empty, []);
  }
}

/** The last part of the series of an expression, once one of them is a line and no point. */
async function untilLines(
  prometheus: PrometheusServer,
  expression: string,
): Promise<readonly Line[]> {
  let lines: readonly Line[] = [];
  await until(`lines of ${expression}`, async () => {
    lines = await prometheus.queryRange(expression, SHOWN_SECONDS);
    return lines.some(({ points }) => points.filter(isFinitePoint).length > 1);
  });
  return lines;
}

function isFinitePoint([, value]: Line['points'][number]): boolean {
  return Number.isFinite(value);
}

function assertDrawn(drawn: readonly DrawnPanel[]): void {
  assert.equal(drawn.length, boardPanels().filter(({ type }) => type !== 'row').length);
  for (const { name, marks, text } of drawn) {
    assert.ok(marks > 0, `${name} drew nothing`);
    assert.ok(!/NaN|undefined|Infinity/.test(text), `${name} shows ${text}`);
  }
}

async function assertCounts(
  prometheus: PrometheusServer,
  completions: readonly Completion[],
): Promise<void> {
  const choices = completions.flatMap((completion) => completion.choices);
  const sum = (of: (choice: (typeof choices)[number]) => number): number =>
    choices.reduce((all, choice) => all + of(choice), 0);
  const expected = {
    'sum(vllm:generation_tokens_total)': sum(({ usage }) => usage.completionTokens),
    'sum(sohu_generated_tokens_total)': sum(({ usage }) => usage.completionTokens),
    'sum(vllm:prompt_tokens_total)': sum(({ usage }) => usage.promptTokens),
    'sum(vllm:request_success_total)': choices.length,
    'sum(vllm:e2e_request_latency_seconds_count)': choices.length,
    'sum(sohu_e2e_latency_seconds_count)': choices.length,
    'sum(vllm:num_preemptions_total)': sum(({ preemptions }) => preemptions),
    'sum(vllm:request_num_preemptions_sum)': sum(({ preemptions }) => preemptions),
  };
  const countOf = async (expression: string): Promise<number> =>
    (await prometheus.query(expression))[0]!.points[0]![1];
  await until('the last scrape has all', async () => {
    const [[expression, value] = ['', 0]] = Object.entries(expected);
    return (await countOf(expression)) >= value;
  });
  await until('the counts of all processes', async () => {
    const values = await Promise.all(Object.keys(expected).map(countOf));
    return Object.values(expected).every((value, index) => values[index]! >= value);
  });
  for (const [expression, value] of Object.entries(expected)) {
    assert.equal(await countOf(expression), value, expression);
  }
  assert.ok(expected['sum(vllm:num_preemptions_total)'] > 0, 'samples gave way to others');
}
