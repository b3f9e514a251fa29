import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { makeCliEnvironment, runCli } from '../support/cli.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

async function runOk(t: TestContext, args: readonly string[]): Promise<string> {
  const exit = await runCli(t, makeCliEnvironment(t), args);
  assert.equal(exit.code, 0, exit.stderr);
  return exit.stdout;
}

async function runJson(t: TestContext, args: readonly string[]) {
  return JSON.parse(await runOk(t, [...args, '--json']));
}

suite('compare', () => {
  test('shows the headline: the claim as input, H100 as published, and the reason for each', async (t) => {
    const text = await runOk(t, ['compare']);
    assert.match(text, /8 × Sohu TP8 .+ as-claimed.+ 499,653 .+ compute 100 %/);
    assert.match(text, /8 × Sohu TP8 .+ ideal.+ to .+ collectives 100 %/);
    assert.match(
      text,
      /8 × H100 TP8 .+ trtllm-0.10.0.+ 1\.0 .+ (compute|collectives) \d+ %, .*(compute|collectives) \d+ %/,
    );
    assert.match(text, /input, by construction/);
    assert.match(text, /█/);
    assert.match(
      text,
      /B200: 2\.27 times the arithmetic a chip, 1\.08 to 1\.16 times a mm²: bigger/,
    );
  });

  test('prints the contract of its JSON', async (t) => {
    const { workload, rows, generations } = await runJson(t, ['compare']);
    assert.equal(workload.model, 'llama-3-70b');
    assert.equal(workload.input_tokens, 2048);
    const fields = ['chip', 'chips', 'tp', 'version', 'output_throughput'];
    const more = ['total_token_throughput', 'ratio', 'mfu', 'bound_by'];
    for (const row of rows) assert.deepEqual(Object.keys(row).slice(0, 9), [...fields, ...more]);
    const [sohu] = rows;
    assert.equal(sohu.by_construction, true);
    assert.ok(Math.abs(sohu.total_token_throughput / 500_000 - 1) < 0.01);
    const h100 = rows.at(-1);
    assert.equal(h100.published_output_throughput, 1337.36);
    assert.ok(Math.abs(h100.output_throughput / 1337.36 - 1) < 0.1);
    assert.ok(sohu.ratio > 20 && sohu.ratio < 23 && h100.ratio === 1);
    assert.deepEqual(
      generations.map(({ chip }: { chip: string }) => chip),
      ['A100', 'H100', 'H200', 'B200'],
    );
  });

  test('takes chips, layouts and software, and the next wider format that a chip has', async (t) => {
    const args = ['compare', '--chip', 'A100', '--chip', 'B200', '--tp', '4', '--chips', '16'];
    const { rows, generations } = await runJson(t, [...args, '--software', 'trtllm-1.0']);
    assert.equal(generations, undefined);
    assert.deepEqual(
      rows.map((row: { chip: string; precision: string; version: string }) => [
        row.chip,
        row.precision,
        row.version,
      ]),
      [
        ['A100', 'int8', 'trtllm-1.0'],
        ['B200', 'fp8', 'trtllm-1.0'],
      ],
    );
    assert.match(await runOk(t, args), /16 × B200 4×TP4/);
  });

  test('sweeps lengths at the same total', async (t) => {
    const { rows } = await runJson(t, ['compare', '--sweep', '--chip', 'H100']);
    assert.equal(rows.length, 6);
    for (const row of rows) assert.equal(row.input_tokens + row.output_tokens, 2176);
    const gains = rows.map((row: { batching_gain: { overStatic: number } }) => row.batching_gain);
    assert.ok(gains.at(-1).overSingle > gains[0].overSingle);
    assert.match(
      await runOk(t, ['compare', '--sweep']),
      /2048\/128 .+8 × Sohu PP8[\s\S]+gains the most at 136\/2040: 3/,
    );
  });

  test('names a chip that is too small, and shows the others', async (t) => {
    const args = ['compare', '--chips', '1', '--chip', 'H100', '--chip', 'B200', '--precision'];
    const { rows, refused } = await runJson(t, [...args, 'bf16']);
    assert.equal(rows.length, 1);
    assert.equal(rows[0].ratio, null);
    assert.match(refused[0], /llama-3-70b does not fit 1 H100 chip/);
  });
});

suite('audit', () => {
  test('prints verdicts, figures with sources, a chart and every published row', async (t) => {
    const text = await runOk(t, ['audit']);
    assert.match(text, /dense fp8 peak .+ beyond .+ 9\.71 PFLOP\/s to 10\.9 PFLOP\/s/);
    assert.match(text, /TP8 link rate, .+█+░+ +┃/);
    assert.match(text, /22\.0 × at TP8, 13\.7 × at 2 × TP4, 9\.79 × at 4 × TP2/);
    assert.match(text, /\n1\. /);
  });

  test('prints Markdown and JSON', async (t) => {
    const markdown = await runOk(t, ['audit', '--markdown']);
    assert.match(markdown, /^# Etched Sohu, June 2024/);
    assert.match(markdown, /\n## Links of a chip, one direction\n\n\| Figure \| How \|/);
    const { claim, sections, baselines, verdicts } = await runJson(t, ['audit']);
    assert.equal(claim.tokensPerSecond, 500_000);
    assert.ok(sections.length === 7 && baselines.length > 115 && verdicts.length === 8);
  });

  test('reads another claim from a file', async (t) => {
    const path = join(makeTemporaryDirectory(t), 'mine.json');
    const claim = {
      name: 'Mine',
      source: 'a test',
      model: 'llama-3-8b',
      chip: 'H200',
      chips: 2,
      input_tokens: 100,
      output_tokens: 100,
      tokens_per_second: 50_000,
      utilization: 0.5,
    };
    writeFileSync(path, JSON.stringify(claim));
    const text = await runOk(t, ['audit', path]);
    assert.match(text, /^Mine: 50,000 tokens\/s of llama-3-8b on 2 × H200, 100\/100, fp8\n/);
    assert.match(text, /No published row has these lengths/);
  });
});

suite('wrong usage of compare and audit names the field and the nearest choice', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['compare', '--chip', 'Soho'], /chip must be one of .+; the nearest is Sohu/],
    [
      ['compare', '--chips', '12'],
      /chips must be a multiple of tp × pp = 8, not 12; the nearest is/,
    ],
    [['compare', '--tp', '3', '--chips', '3'], /tp must divide the 64 heads of llama-3-70b/],
    [['compare', '--software', 'trtlm-1.0'], /software must be one of .+ is trtllm-1.0/],
    [
      ['compare', '--model', 'wan-2.1-14b'],
      /model must write tokens, .+ the nearest is llama-3-70b/,
    ],
    [['audit', 'etched'], /claim must be one of etched-sohu-2024, not "etched"; the nearest is/],
    [['audit', 'package.json'], /claim.+ must be/],
  ];
  for (const [args, says] of cases) {
    test(args.join(' '), async (t) => {
      const exit = await runCli(t, makeCliEnvironment(t), args);
      assert.equal(exit.code, 2, exit.stderr);
      assert.equal(exit.stdout, '');
      assert.match(exit.stderr, says);
      assert.equal(exit.stderr.trim().split('\n').length, 1);
    });
  }
});
