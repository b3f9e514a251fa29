import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { makeCliEnvironment, runCli } from '../support/cli.ts';

async function runOk(t: TestContext, args: readonly string[]): Promise<string> {
  const exit = await runCli(t, makeCliEnvironment(t), args);
  assert.equal(exit.code, 0, exit.stderr);
  return exit.stdout;
}

suite('commands of device time', () => {
  test('chips shows every chip, and the source of each number of one', async (t) => {
    assert.match(await runOk(t, ['chips']), /Sohu.+by construction[\s\S]+WSE-3/);
    assert.match(await runOk(t, ['chips', 'h100']), /memory bandwidth.+3.35 TB\/s.+published/);
    const json = JSON.parse(await runOk(t, ['chips', 'Sohu', '--json']));
    assert.equal(json.memoryBytes.value, 144e9);
  });

  test('models shows the catalogue, and a member of the family', async (t) => {
    assert.match(await runOk(t, ['models']), /deepseek-v3[\s\S]+wan-2.1-14b/);
    const json = JSON.parse(await runOk(t, ['models', 'moe-100t', '--json']));
    assert.ok(Math.abs(json.parameters / 100e12 - 1) < 0.05);
  });

  test('plan answers how many chips 100 trillion parameters need', async (t) => {
    const text = await runOk(t, ['plan', '--model', 'moe-100t']);
    assert.match(text, /The weights alone need \d{3} Sohu chip\(s\) of 144 GB\./);
    assert.match(text, /a single chip supports/);
    const json = JSON.parse(await runOk(t, ['plan', '--model', 'dense-100t', '--json']));
    assert.ok(json.chipsForWeights > 650 && json.chipsForWeights < 750);
    assert.ok(json.plans.at(-1).plan.fits);
  });

  test('plan lists the layouts of a number of chips', async (t) => {
    const args = ['plan', '--model', 'deepseek-v3', '--chip', 'H200', '--chips', '16', '--json'];
    const { plans } = JSON.parse(await runOk(t, args));
    assert.ok(plans.length > 5);
  });

  test('price explains a step, and says what an unknown chip’s price rests on', async (t) => {
    const h100 = ['price', '--chip', 'H100', '--software', 'trtllm-0.10.0'];
    const text = await runOk(t, h100);
    assert.match(text, /device time/);
    assert.match(text, /all_reduce .+ 3\d\.\d %/);
    assert.doesNotMatch(text, /by construction/);
    const sohu = await runOk(t, ['price', '--chip', 'Sohu', '--tp', '1', '--pp', '8']);
    assert.match(sohu, /Input, by construction/);
    const json = JSON.parse(await runOk(t, ['price', '--json']));
    assert.equal(json.by_construction, true);
    assert.ok(json.total_token_throughput.low < json.total_token_throughput.high);
  });

  test('price knows samples of a diffusion transformer', async (t) => {
    const text = await runOk(t, ['price', '--model', 'wan-2.1-14b', '--chip', 'H100']);
    assert.match(text, /Seconds per sample +\d+/);
  });

  test('validate prints rows and medians, as text, Markdown and JSON', async (t) => {
    const text = await runOk(t, ['validate', '--software', 'trtllm-0.10.0']);
    assert.match(text, /H100 fp8 TP8 2048\/128 output_tokens_per_s.+check.+1,337/);
    assert.match(await runOk(t, ['validate', '--markdown']), /^\| Row \| Role \|/);
    const { rows, totals } = JSON.parse(await runOk(t, ['validate', '--json']));
    assert.ok(rows.length > 150 && totals.length > 3);
  });
});

suite('wrong usage of device time names the field and the nearest choice', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['chips', 'H10O'], /chip must be one of .+; the nearest is H100/],
    [['price', '--chip', 'B300'], /the nearest is B200/],
    [['price', '--model', 'lama-3-70b'], /model must be .+; the nearest is llama-3-70b/],
    [['price', '--tp', '5'], /tp must divide the 64 heads of llama-3-70b.+nearest is 4/],
    [['price', '--software', 'trtllm-9'], /software must be one of .+ the nearest is/],
    [['price', '--chip', 'A100'], /precision must be one of int8, bf16 on A100, not fp8/],
    [
      ['price', '--model', 'llama-3.1-405b', '--chip', 'H100', '--precision', 'bf16'],
      /llama-3.1-405b does not fit 8 H100 chip\(s\).+the nearest is at least \d+ chips/,
    ],
    [['validate', '--software', 'trtllm-0.16'], /software must be .+; the nearest is trtllm-0/],
    [['plan', '--chips', '0'], /--chips/],
  ];
  for (const [args, says] of cases) {
    test(args.join(' '), async (t) => {
      const exit = await runCli(t, makeCliEnvironment(t), args);
      assert.equal(exit.code, 2, exit.stderr);
      assert.equal(exit.stdout, '');
      assert.match(exit.stderr, says);
    });
  }
});
