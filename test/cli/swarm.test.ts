import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeCliEnvironment, runCli } from '../support/cli.ts';

suite('sohu swarm', () => {
  test('ends with its figures, which are the same again', async (t) => {
    const env = makeCliEnvironment(t);
    const args = ['swarm', '--seeds', '60', '--seed', '7'];
    const [first, second] = [await runCli(t, env, args), await runCli(t, env, args)];
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^60 seeds, 0 violations, transcript [0-9a-f]{16}\n$/);
    assert.equal(second.stdout, first.stdout);
    assert.match(first.stderr, /^60 of 60 seeds in [\d.]+ s\.\n\d+ events\.\n$/);
  });

  test('tells all that one seed decides, and leaves faults out', async (t) => {
    const env = makeCliEnvironment(t);
    const one = ['swarm', '--seeds', '1', '--seed', '144', '--mode', 'liveness'];
    const whole = await runCli(t, env, one);
    assert.match(whole.stdout, /^seed=144 mode=liveness .*tensorParallel=\d/);
    assert.match(whole.stdout, /\n {2}[\d.]+ ms: outage for [\d.]+ ms\n/);
    assert.match(whole.stdout, /\n1 seeds, 0 violations, transcript [0-9a-f]{16}\n$/);
    const none = await runCli(t, env, [...one, '--faults', '', '--requests', '0,1']);
    assert.doesNotMatch(none.stdout, /\n {2}/);
    assert.match(none.stdout, /\nrequests: \d+ at [^,]+, \d+ at [^,\n]+\n/);
  });

  test('refuses what it does not know', async (t) => {
    const env = makeCliEnvironment(t);
    for (const args of [
      ['--mode', 'danger'],
      ['--faults', 'a'],
      ['--seeds', '0'],
    ]) {
      const { code, stderr } = await runCli(t, env, ['swarm', ...args]);
      assert.equal(code, 2, stderr);
    }
  });
});
