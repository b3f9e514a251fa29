import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { VENDOR_SCENARIOS } from '../../services/sim/vendor-scenarios/catalogue.ts';
import { makeCliEnvironment, runCli } from '../support/cli.ts';

suite('sohu scenario', () => {
  test('lists what the vendor says, with its sources', async (t) => {
    const env = makeCliEnvironment(t);
    const { stdout } = await runCli(t, env, ['scenario']);
    for (const { name, said } of VENDOR_SCENARIOS) {
      assert.ok(
        stdout.includes(name) && stdout.includes(said.text) && stdout.includes(said.source),
      );
    }
    const listed = JSON.parse((await runCli(t, env, ['scenario', '--json'])).stdout);
    assert.deepEqual(
      listed.map(({ scenario }: { scenario: string }) => scenario),
      VENDOR_SCENARIOS.map(({ name }) => name),
    );
  });

  test('works one out for the chips that are named, the claimed one in both ways', async (t) => {
    const env = makeCliEnvironment(t);
    const args = ['scenario', 'video-generation', '--chips', 'sohu, h200', '--json'];
    const first = await runCli(t, env, args);
    assert.equal(first.code, 0, first.stderr);
    assert.equal((await runCli(t, env, args)).stdout, first.stdout);
    const { rows, said } = JSON.parse(first.stdout);
    assert.deepEqual(
      rows.map((row: Record<string, unknown>) => [row.chip, row.software, row.by_construction]),
      [
        ['Sohu', 'as-claimed', true],
        ['Sohu', 'ideal', true],
        ['H200', 'trtllm-1.0', false],
      ],
    );
    assert.match(said.source, /^etched\.com/);
    const { low, high } = rows[1].measures.seconds_per_frame;
    assert.ok(low < high, 'what is not known of the chip is a range');
    assert.equal(rows[2].measures.seconds_per_frame.low, rows[2].measures.seconds_per_frame.high);
  });

  test('marks what only restates the claim, and shows what is assumed', async (t) => {
    const { stdout } = await runCli(t, makeCliEnvironment(t), ['scenario', 'video-generation']);
    assert.match(stdout, /8 × Sohu │ as-claimed \(input, by construction\)/);
    assert.match(stdout, /“Video models generate one frame per second” \(etched\.com/);
    assert.match(stdout, /frames of a second of video +│ huggingface\.co\/Wan-AI.+ 16 frames\/s/);
  });

  test('refuses what it does not know, and chips that do not hold the model', async (t) => {
    const env = makeCliEnvironment(t);
    for (const [args, message] of [
      [['scenario', 'voise'], /^error: scenario .+voice/],
      [['scenario', 'voice', '--chips', 'H101'], /^error: chip .+H100/],
    ] as const) {
      const { code, stderr } = await runCli(t, env, args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
