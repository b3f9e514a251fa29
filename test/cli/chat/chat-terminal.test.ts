import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { natsServerBinary } from '../../support/broker.ts';
import {
  type CliEnvironment,
  listDescendants,
  makeCliEnvironment,
  startCli,
  untilAllGone,
} from '../../support/cli.ts';
import {
  CTRL_C,
  CTRL_D,
  ENTER,
  startTerminal,
  type TerminalProcess,
} from '../../support/terminal.ts';

// What a terminal shows, shortened:
//
//   tinystories-5m, fp8, one chip, a context of 1024 tokens. /help lists the commands; Ctrl-D ends.
//   >>> Once upon a time
//   , there was a little girl named lily. she loved to play outside in the sun^C
//   Stopped.
//   >>> """
//   ... A cat came.
//   ... A dog"""
//    named max, saw the dog's paws. he

const ARGS = ['chat', '--temperature', '0', '--max-tokens', '8'];
const PROMPT = '>>> ';
const CONTINUED = '... ';
const PASTE = { begin: '\u001b[200~', end: '\u001b[201~' };

async function openChat(
  t: TestContext,
  env: CliEnvironment,
  args: readonly string[] = [],
): Promise<TerminalProcess | undefined> {
  const terminal = startTerminal(t, env, [...ARGS, ...args]);
  await terminal?.until(PROMPT);
  return terminal;
}

test('sohu chat at a terminal', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const env = makeCliEnvironment(t);
  const up = startCli(t, env, ['up', '--tp', '1', '--port', '0', '--no-demo']);
  await up.untilPrinted('stderr', 'Serving');
  const answer = async (terminal: TerminalProcess, keys: string): Promise<string> => {
    terminal.type(keys);
    return terminal.until(PROMPT);
  };

  await t.test('greets, asks, answers, and Ctrl-D ends it with exit code 0', async () => {
    const terminal = await openChat(t, env);
    if (terminal === undefined) return;
    assert.match(terminal.printed(), /tinystories-5m, fp8, one chip, .*\/help.*Ctrl-D/);
    assert.match(await answer(terminal, `Once upon a time${ENTER}`), /, there was [^>]+>>> $/);
    terminal.type(CTRL_D);
    assert.equal(await terminal.exited, 0);
  });

  await t.test('Ctrl-C stops an answer and keeps the chat', async () => {
    const terminal = await openChat(t, env, ['--ignore-eos', '--max-tokens', '900']);
    if (terminal === undefined) return;
    terminal.type(`Once upon a time${ENTER}`);
    await terminal.until(' there was');
    terminal.type(CTRL_C);
    await terminal.until('Stopped.');
    await terminal.until(PROMPT);
    const shown = await answer(terminal, `/show messages${ENTER}`);
    assert.match(
      shown,
      /user: Once upon a time\r\nassistant: , there was/,
      'what there was is kept',
    );
    assert.doesNotMatch(await answer(terminal, `/set max_tokens 4${ENTER}`), /error/);
    assert.match(await answer(terminal, `Then${ENTER}`), /\S+ \S+/);
    assert.equal((await answer(terminal, `/show messages${ENTER}`)).match(/user: /g)?.length, 2);
    terminal.type(`/bye${ENTER}`);
    assert.equal(await terminal.exited, 0);
  });

  await t.test('a signal does what the key does', async () => {
    const terminal = await openChat(t, env, ['--ignore-eos', '--max-tokens', '900']);
    if (terminal === undefined) return;
    terminal.type(`Once upon a time${ENTER}`);
    await terminal.until(' there was');
    const [sohu] = listDescendants(terminal.pid);
    process.kill(sohu!.pid, 'SIGINT');
    await terminal.until('Stopped.');
    await terminal.until(PROMPT);
    process.kill(sohu!.pid, 'SIGTERM');
    assert.equal(await terminal.exited, 130);
  });

  await t.test('Ctrl-C discards what is typed, then warns, then ends it with 130', async () => {
    const terminal = await openChat(t, env);
    if (terminal === undefined) return;
    terminal.type('half a line');
    await terminal.until('half a line');
    terminal.type(CTRL_C);
    await terminal.until(PROMPT);
    assert.doesNotMatch(terminal.printed(), /Ctrl-C once more/);
    terminal.type(`"""${ENTER}`);
    await terminal.until(CONTINUED);
    terminal.type(CTRL_C);
    await terminal.until(PROMPT);
    const shown = await answer(terminal, `/show messages${ENTER}`);
    assert.doesNotMatch(shown, /half|user:/);
    terminal.type(CTRL_C);
    await terminal.until('Ctrl-C once more');
    terminal.type(CTRL_C);
    assert.equal(await terminal.exited, 130);
  });

  await t.test('several lines: a block, a backslash, a paste', async () => {
    const terminal = await openChat(t, env);
    if (terminal === undefined) return;
    terminal.type(`"""${ENTER}`);
    await terminal.until(CONTINUED);
    terminal.type(`one${ENTER}`);
    await terminal.until(CONTINUED);
    await answer(terminal, `two"""${ENTER}`);
    terminal.type(`three\\${ENTER}`);
    await terminal.until(CONTINUED);
    await answer(terminal, `four${ENTER}`);
    terminal.type(`${PASTE.begin}five${ENTER}six${PASTE.end}`);
    await terminal.until('six');
    await answer(terminal, ` seven${ENTER}`);
    const shown = await answer(terminal, `/show messages${ENTER}`);
    assert.match(shown, /user: one\r\ntwo\r\n/);
    assert.match(shown, /user: three\r\nfour\r\n/);
    assert.match(shown, /user: five\r\nsix seven\r\n/);
    terminal.type(CTRL_D);
    assert.equal(await terminal.exited, 0);
  });

  await t.test(
    'Tab completes commands, and the arrow key finds lines of the chat before',
    async () => {
      const terminal = await openChat(t, env);
      if (terminal === undefined) return;
      terminal.type('/he');
      await terminal.until('/he');
      terminal.type('\t');
      await terminal.until('lp');
      assert.match(await answer(terminal, ENTER), /forget the conversation/);
      terminal.type('\u001b[A');
      await terminal.until('/help');
      terminal.type('\u001b[A');
      await terminal.until('/show messages');
      terminal.type(`${CTRL_C}${CTRL_D}`);
      assert.equal(await terminal.exited, 0);
      const history = join(env.XDG_STATE_HOME!, 'sohu', 'chat-history');
      assert.equal(statSync(history).mode & 0o777, 0o600);
      assert.equal(readFileSync(history, 'utf8').split('\n')[0], '/help');
    },
  );

  up.child.kill('SIGTERM');
  await up.exited;
});

test('a terminal that is closed ends the chat and the cluster that it started', async (t) => {
  if ((await natsServerBinary(t)) === undefined) return;
  const terminal = await openChat(t, makeCliEnvironment(t), ['--tp', '1']);
  if (terminal === undefined) return;
  const processes = listDescendants(terminal.pid);
  assert.ok(processes.length >= 4, 'the chat, its broker, chip and coordinator');
  process.kill(terminal.pid, 'SIGKILL');
  await untilAllGone(processes);
});
