import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { requireTrace } from '../support/trace-data.ts';

const H100 = ['sim', '--chip', 'H100'];

async function runOk(t: TestContext, args: readonly string[]): Promise<string> {
  const exit = await runCli(t, makeCliEnvironment(t), args);
  assert.equal(exit.code, 0, exit.stderr);
  return exit.stdout;
}

suite('sohu sim', () => {
  test('prints the block of vllm bench serve, and says which clock it shows', async (t) => {
    const args = [
      '--request-rate',
      '8',
      '--num-prompts',
      '100',
      '--goodput',
      'ttft:500',
      'tpot:50',
    ];
    const text = await runOk(t, [...H100, ...args]);
    assert.match(
      text,
      /^llama-3-70b on 8 × H100 .+: device time\n=+ Serving Benchmark Result =+\n/,
    );
    assert.match(text, /Successful requests: +100\n/);
    assert.match(text, /Request goodput \(req\/s\): +\d/);
    for (const name of ['TTFT', 'TPOT', 'ITL', 'E2EL']) {
      assert.match(text, new RegExp(`Mean ${name} \\(ms\\): +\\d+\\.\\d\\d\\n`));
      assert.match(text, new RegExp(`P99 ${name} \\(ms\\): +\\d+\\.\\d\\d\\n`));
    }
  });

  test('prints the keys of vllm bench serve, the same bytes for the same seed', async (t) => {
    const args = [
      '--json',
      '--num-prompts',
      '50',
      '--request-rate',
      '20',
      '--dataset',
      'lognormal',
    ];
    const text = await runOk(t, [...H100, ...args, '--seed', '5', '--burstiness', '0.5']);
    const again = await runOk(t, [...H100, ...args, '--seed', '5', '--burstiness', '0.5']);
    assert.equal(again, text);
    assert.notEqual(await runOk(t, [...H100, ...args, '--seed', '6', '--burstiness', '0.5']), text);
    const report = JSON.parse(text);
    assert.equal(report.clock, 'device');
    assert.equal(report.completed, 50);
    const latencies = ['ttft', 'tpot', 'itl', 'e2el'].flatMap((name) =>
      ['mean', 'median', 'std', 'p99'].map((statistic) => `${statistic}_${name}_ms`),
    );
    const throughputs = ['request', 'output', 'total_token'].map((name) => `${name}_throughput`);
    const device = ['device_seconds', 'mfu', 'hbm_utilization', 'link_utilization', 'preemptions'];
    for (const key of [...latencies, ...throughputs, ...device, 'total_input', 'total_output']) {
      assert.equal(typeof report[key], 'number', key);
    }
    assert.ok(report.device_seconds <= report.duration * (1 + 1e-9));
  });

  test('gives ranges where the chip’s rates are not known, and says what is claimed', async (t) => {
    const report = JSON.parse(await runOk(t, ['sim', '--num-prompts', '20', '--json']));
    const { low, high } = report.ranges.output_throughput;
    assert.ok(low < report.output_throughput && report.output_throughput < high);
    assert.equal(report.by_construction, true);
    assert.match(await runOk(t, ['sim', '--num-prompts', '20']), /Input, by construction/);
  });

  test('writes a Chrome trace of steps, operators and collectives', async (t) => {
    const file = join(makeTemporaryDirectory(t), 'trace.json');
    const args = ['--num-prompts', '20', '--pp', '2', '--trace-out', file, '--trace-steps', '30'];
    await runOk(t, [...H100, ...args]);
    const { traceEvents, otherData } = JSON.parse(readFileSync(file, 'utf8'));
    assert.equal(otherData.clock, 'device');
    const named = (pattern: RegExp): number =>
      traceEvents.filter(({ name }: { name: string }) => pattern.test(name)).length;
    assert.equal(named(/^step/), 30);
    assert.ok(named(/^all_reduce$/) >= 30 && named(/^gate_up$/) >= 30);
  });

  test('searches the layouts of a number of chips for the highest rate', async (t) => {
    const args = [
      '--chips',
      '8',
      '--search',
      '--slo',
      'ttft:800',
      'tpot:60',
      '--num-prompts',
      '60',
    ];
    const exit = await runCli(t, makeCliEnvironment(t), [...H100, ...args, '--json']);
    assert.equal(exit.code, 0, exit.stderr);
    assert.match(exit.stderr, /Searching layouts: 100 %/);
    const { layouts } = JSON.parse(exit.stdout);
    const rates = layouts.map((it: { highest_request_rate: number }) => it.highest_request_rate);
    assert.ok(rates.length > 3 && rates[0] > 1);
    assert.deepEqual(
      rates,
      rates.toSorted((a: number, b: number) => b - a),
    );
    assert.ok(layouts[0].report.p99_ttft_ms <= 800 && layouts[0].report.p99_tpot_ms <= 60);
    assert.equal(layouts[0].tp * layouts[0].pp * layouts[0].dp, 8);
  });

  test('replays an hour of production: every request, with a goodput', async (t) => {
    const trace = requireTrace(t, 'azure-2023-conversation.csv');
    if (trace === undefined) return;
    const args = ['--trace-file', trace, '--json', '--goodput', 'ttft:500', 'tpot:50'];
    const report = JSON.parse(await runOk(t, [...H100, ...args]));
    assert.equal(report.completed + report.failed, 19_366);
    assert.equal(report.failed, 1); // 14,050 tokens of prompt do not fit a context of 8,192
    assert.ok(Math.abs(report.duration - 3506) < 20);
    assert.ok(report.request_goodput > 0.95 * report.request_throughput);
  });

  test('finds in the prefix cache what a trace repeats', async (t) => {
    const trace = requireTrace(t, 'mooncake-conversation.jsonl');
    if (trace === undefined) return;
    const args = [
      '--model',
      'llama-3.1-70b',
      '--trace-file',
      trace,
      '--num-prompts',
      '300',
      '--json',
    ];
    const report = JSON.parse(await runOk(t, [...H100, ...args]));
    assert.ok(report.prefix_cache_hit_rate > 0.05 && report.prefix_cache_hit_rate < 0.6);
    const without = JSON.parse(await runOk(t, [...H100, ...args, '--no-enable-prefix-caching']));
    assert.equal(without.prefix_cache_hit_rate, 0);
    assert.ok(without.mean_ttft_ms > report.mean_ttft_ms);
  });
});

suite('wrong usage of sim names the field and the nearest choice', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--request-rate', '-1'], /--request-rate.+must be a number above 0, or inf/],
    [['--chip', 'H10O'], /chip must be one of .+; the nearest is H100/],
    [['--tp', '5'], /tp must divide the 64 heads of llama-3-70b.+nearest is 4/],
    [['--chips', '12'], /chips must be tp × pp × dp, not 12; the nearest is 16/],
    [['--goodput', 'tft:5'], /latency must be one of ttft, tpot, e2el.+nearest is ttft/],
    [['--goodput', 'ttft'], /milliseconds above 0, such as ttft:500/],
    [['--search'], /slo must name a goal/],
    [
      ['--search', '--slo', 'ttft:9', '--chips', '1', '--model', 'gpt-3-175b'],
      /chips must be .+ not 1/,
    ],
    [['--trace-file', 'absent.csv'], /trace_file must be a file that can be read/],
    [['--trace-file', 'trace.json'], /trace_file must be one of .csv, .jsonl.+nearest is .jsonl/],
    [['--model', 'wan-2.1-14b'], /model must generate tokens/],
    [['--model', 'llama-3.1-405b', '--precision', 'bf16'], /does not fit 8 .+ the nearest is/],
    [['--max-num-seqs', '9000'], /max_num_batched_tokens \(8192\) must be at least max_num_seqs/],
  ];
  for (const [args, says] of cases) {
    test(args.join(' '), async (t) => {
      const exit = await runCli(t, makeCliEnvironment(t), [...H100, ...args]);
      assert.equal(exit.code, 2, exit.stderr);
      assert.match(exit.stderr, says);
      assert.equal(exit.stderr.trim().split('\n').length, 1, exit.stderr);
      assert.equal(exit.stdout, '');
    });
  }

  const AZURE = 'TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44';
  const GOOD = '{"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]}';
  const traces: readonly (readonly [string, string, RegExp])[] = [
    ['a.csv', `${AZURE}\r\n2023-11-16,374,44`, /line 3 of .+: TIMESTAMP must look like/],
    ['a.csv', `${AZURE}\r\n2023-11-16 18:15:47,-1,44`, /line 3 of .+: ContextTokens must be/],
    [
      'a.csv',
      `${AZURE}\r\n2023-11-16 18:15:47,1`,
      /line 3 of .+: a line must have 3 columns, not 2/,
    ],
    ['a.csv', 'a,b\r\n', /line 1 of .+: the columns must be TIMESTAMP/],
    ['a.jsonl', `${GOOD}\n{"timestamp": 0,`, /line 2 of .+: /],
    ['a.jsonl', `${GOOD}\n[]`, /line 2 of .+: a line must be a JSON object/],
    ['a.jsonl', GOOD.replace('[1, 2]', '[1]'), /line 1 of .+: hash_ids must have one number/],
    ['a.jsonl', GOOD.replace('5', '0'), /line 1 of .+: output_length must be .+ not 0/],
    ['a.jsonl', '\n', /trace_file must have at least one request/],
  ];
  for (const [name, content, says] of traces) {
    test(`a trace with ${JSON.stringify(content.slice(-20))}`, async (t) => {
      const path = join(makeTemporaryDirectory(t), name);
      writeFileSync(path, content);
      const exit = await runCli(t, makeCliEnvironment(t), [...H100, '--trace-file', path]);
      assert.equal(exit.code, 2, exit.stderr);
      assert.match(exit.stderr, says);
    });
  }
});
