import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { natsServerBinary } from '../support/broker.ts';
import {
  listDescendants,
  makeCliEnvironment,
  runCli,
  startCli,
  untilAllGone,
} from '../support/cli.ts';
import { requireReference } from '../support/requirements.ts';

const PROMPT = 'Once upon a time';

/** The text that llama2.c prints for a prompt, prompt included. */
function referenceText(path: string, prompt: string): string {
  const sections = readFileSync(path, 'utf8').split('### ');
  const title = `-t 0 -n 128 -i ${prompt}\n`;
  return sections
    .find((section) => section.startsWith(title))!
    .slice(title.length)
    .trimEnd();
}

suite('sohu run', () => {
  for (const tp of [1, 2, 4, 8]) {
    test(`continues as llama2.c does with ${tp} chips`, async (t) => {
      const model = requireReference(t, 'stories260K/stories260K.bin');
      const reference = requireReference(t, 'stories260K/reference_prompts.txt');
      if (model === undefined || reference === undefined) return;
      if ((await natsServerBinary(t)) === undefined) return;
      const args = ['run', '--model', model, '--precision', 'f32', '--tp', String(tp), PROMPT];
      const { code, stdout, stderr } = await runCli(t, makeCliEnvironment(t), args);
      assert.equal(code, 0, stderr);
      assert.ok((PROMPT + stdout).startsWith(referenceText(reference, PROMPT)), stdout);
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends it with exit code 130, and the cluster that it started`, async (t) => {
      if ((await natsServerBinary(t)) === undefined) return;
      const args = ['run', '--tp', '2', '--max-tokens', '400', PROMPT];
      const run = startCli(t, makeCliEnvironment(t), args);
      await run.untilPrinted('stdout', ' ');
      const processes = listDescendants(run.pid);
      assert.ok(processes.length >= 4, 'broker, two chips and a coordinator');
      run.child.kill(signal);
      const { code, stderr } = await run.exited;
      assert.equal(code, 130);
      assert.doesNotMatch(stderr, /error/);
      await untilAllGone(processes);
    });
  }

  test('an interrupt while the chips load ends all of them', async (t) => {
    if ((await natsServerBinary(t)) === undefined) return;
    const run = startCli(t, makeCliEnvironment(t), ['run', PROMPT]);
    await run.untilPrinted('stderr', 'Loading');
    const processes = listDescendants(run.pid);
    run.child.kill('SIGINT');
    assert.equal((await run.exited).code, 130);
    await untilAllGone(processes);
  });

  test('ends quietly when nobody reads the text any more', async (t) => {
    if ((await natsServerBinary(t)) === undefined) return;
    const args = ['run', '--tp', '1', '--max-tokens', '400', PROMPT];
    const run = startCli(t, makeCliEnvironment(t), args);
    await run.untilPrinted('stdout', ' ');
    const processes = listDescendants(run.pid);
    run.child.stdout!.destroy();
    const { code, stderr } = await run.exited;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /error|EPIPE/);
    await untilAllGone(processes);
  });

  test('names the chip that dies', async (t) => {
    if ((await natsServerBinary(t)) === undefined) return;
    const args = ['run', '--tp', '2', '--max-tokens', '400', PROMPT];
    const run = startCli(t, makeCliEnvironment(t), args);
    await run.untilPrinted('stdout', ' ');
    const processes = listDescendants(run.pid);
    const chip = processes.find(({ title }) => title.startsWith('sohu: chip 0.1'))!;
    process.kill(chip.pid, 'SIGKILL');
    const { code, stderr } = await run.exited;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`error: chip 1 \\(pid ${chip.pid}\\) ended by SIGKILL`));
    await untilAllGone(processes);
  });
});
