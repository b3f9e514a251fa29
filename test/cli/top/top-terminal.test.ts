import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { widthOf } from '../../../services/cli/terminal/text-width.ts';
import { makeCliEnvironment, runCli } from '../../support/cli.ts';
import { startDetached, startLongRun } from '../../support/detached-cluster.ts';
import { type Size, Tmux } from '../../support/tmux.ts';

const SMALL: Size = [80, 24];
/** Makes the program fail where nobody expects it, when it gets a signal. */
const CRASH = encodeURIComponent(
  'process.on("SIGUSR2", () => { throw new Error("nobody expects this") })',
);

/** Finds a change of colour or weight. */
function colorsLike(code: string): RegExp {
  return new RegExp(`\u001b\\[[\\d;]*${code}m`);
}

/** The terminal is the shell's again: its screen, its cursor, its line discipline. */
async function assertRestored(tmux: Tmux, exitCode: number): Promise<void> {
  await tmux.until(/ready>\s*$/);
  tmux.enter('echo "code $? $(stty -a | grep -ow -e -echo -e -icanon -e -isig | tr -d "\\n")."');
  const screen = await tmux.until(/code \d+ .*\.$/m);
  assert.match(screen, new RegExp(`code ${exitCode} \\.$`, 'm'));
  assert.match(screen, /^earlier$/m, 'what was there before is there again');
  assert.deepEqual(tmux.state(), { isAlternate: false, hasCursor: true, wraps: true });
}

/** A terminal of which something can be seen again. */
async function openTerminal(t: TestContext, env: Readonly<Record<string, string>>) {
  const tmux = Tmux.start(t, env, SMALL);
  tmux?.enter('clear; echo earlier');
  await tmux?.until(/^earlier$/m);
  return tmux;
}

test('sohu top on a terminal', async (t) => {
  const detached = await startDetached(t);
  if (detached === undefined) return;
  const { env } = detached;
  t.after(() => runCli(t, env, ['down', '--all', '--timeout', '0']));
  const openTop = async (t: TestContext, args = '', before = '') => {
    const tmux = await openTerminal(t, env);
    tmux?.sohu(`top ${args}`, before);
    await tmux?.until('serving');
    return tmux;
  };

  await t.test('shows chips, charts and requests in 80 × 24, and q gives all back', async (t) => {
    const tmux = await openTop(t, '-d 0.25');
    if (tmux === undefined) return;
    assert.deepEqual(tmux.state(), { isAlternate: true, hasCursor: false, wraps: false });
    const run = await startLongRun(t, env, 900);
    const screen = await tmux.until(/^[0-9a-f-]{8}.* decode +\d+ +\d+ +\d+ +\d+ s +0$/m);
    assert.match(screen, /^sohu {2}tinystories-5m {2}fp8, KV bf16, real weights .*● serving/);
    assert.match(screen, /^device +\S+ tokens\/s .* Sohu as claimed$/m);
    for (const chip of [0, 1])
      assert.match(screen, new RegExp(`^ +${chip} {2}ready +[━╸─]+ +\\S+%`, 'm'));
    await tmux.until(/[⣀-⣿]/);
    await tmux.until(/1 of 256 running, 0 waiting/);
    assert.equal(tmux.lines().length, 24);
    assert.match(tmux.lines().at(-1)!, /^q quit/);
    for (const line of tmux.lines()) assert.ok(widthOf(line) <= 80, line);
    assert.match(tmux.coloredScreen(), colorsLike('36'), 'it has colours');
    run.child.kill('SIGINT');
    await run.exited;
    await tmux.until(/0 of 256 running/);
    await tmux.until((it) => !it.includes('decode'));
    tmux.press('q');
    await assertRestored(tmux, 0);
  });

  await t.test('obeys its keys, and the size of the terminal', async (t) => {
    const tmux = await openTop(t);
    if (tmux === undefined) return;
    const run = await startLongRun(t, env, 900);
    await tmux.until(/ decode /);
    tmux.press('?');
    await tmux.until(/^ +q +quit$/m);
    tmux.press('h', '/', 'n', 'q');
    await tmux.until((it) => /^\/nq +Enter keeps it/m.test(it) && !it.includes(' decode '));
    tmux.press('Enter');
    await tmux.until('only "nq"');
    tmux.press('/', 'BSpace', 'BSpace', 'Enter');
    await tmux.until(/ decode /);
    tmux.press('s');
    await tmux.until('Preempted ▼');
    tmux.press('r');
    await tmux.until('Preempted ▲');
    tmux.press('p');
    await tmux.until(' paused ');
    run.child.kill('SIGINT');
    await run.exited;
    assert.match(tmux.screen(), / decode /, 'it shows what was');
    tmux.press('p');
    await tmux.until((it) => !it.includes(' paused ') && !it.includes(' decode '));
    for (const [width, height] of [[120, 40], [40, 10], [30, 3], SMALL] as const) {
      tmux.resize([width, height]);
      await tmux.until(
        (it) => it.split('\n').length === height && /^q quit.*$/.test(it.split('\n').at(-1)!),
      );
      for (const line of tmux.lines()) assert.ok(widthOf(line) <= width, line);
    }
    tmux.press('q');
    await assertRestored(tmux, 0);
  });

  await t.test('gives the terminal back however it ends', async (t) => {
    for (const [how, exitCode] of [
      ['C-c', 130],
      ['SIGINT', 130],
      ['SIGTERM', 130],
      ['SIGHUP', 130],
      ['SIGUSR2', 1],
    ] as const) {
      const before =
        how === 'SIGUSR2' ? `NODE_OPTIONS='--import=data:text/javascript,${CRASH}'` : '';
      const tmux = await openTop(t, '', before);
      if (tmux === undefined) return;
      if (how === 'C-c') tmux.press('C-c');
      else process.kill(tmux.sohuPid(), how);
      await tmux.until(/^earlier$/m);
      if (how === 'SIGUSR2') await tmux.until('nobody expects this');
      await assertRestored(tmux, exitCode);
    }
  });

  await t.test('a stop gives it back too, and fg goes on', async (t) => {
    for (const how of ['C-z', 'SIGTSTP'] as const) {
      const tmux = await openTop(t);
      if (tmux === undefined) return;
      if (how === 'C-z') tmux.press('C-z');
      else process.kill(tmux.sohuPid(), 'SIGTSTP');
      await tmux.until(/Stopped/);
      assert.deepEqual(tmux.state(), { isAlternate: false, hasCursor: true, wraps: true });
      tmux.enter('echo typed');
      await tmux.until(/^typed$/m);
      tmux.enter('fg');
      await tmux.until(/● serving(?:.|\n)*q quit/);
      assert.deepEqual(tmux.state(), { isAlternate: true, hasCursor: false, wraps: false });
      tmux.press('q');
      await assertRestored(tmux, 0);
    }
  });

  await t.test('makes do with ASCII and without colours', async (t) => {
    const tmux = await openTop(t, '', 'LC_ALL=C NO_COLOR=1');
    if (tmux === undefined) return;
    await tmux.until(/^q quit/m);
    assert.match(tmux.screen(), /^ +0 {2}ready +[#=-]+ +\S+%/m);
    assert.doesNotMatch(tmux.screen(), /[^ -~\n]/);
    assert.doesNotMatch(tmux.coloredScreen(), colorsLike('(?:3[1-7]|1|2)'));
    tmux.press('q');
    await assertRestored(tmux, 0);
  });

  await t.test('refuses what it cannot draw on, in one sentence', async (t) => {
    const refusal = /^error: sohu top needs a terminal that it can draw on: .*sohu smi -l 1.*\n$/;
    const { code, stdout, stderr } = await runCli(t, env, ['top']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, refusal);
    const tmux = await openTerminal(t, env);
    tmux?.sohu('top; echo "code $?"', 'TERM=dumb');
    const screen = await tmux?.until(/code 2$/m);
    if (screen !== undefined)
      assert.match(screen.replaceAll('\n', ' '), /error: sohu top needs a term/);
  });

  await t.test('finds the cluster again when that is restarted', async (t) => {
    const tmux = await openTop(t);
    if (tmux === undefined) return;
    assert.equal((await runCli(t, env, ['down', '--timeout', '0'])).code, 0);
    await tmux.until('● no answer, trying again');
    await startDetached(t, [], env);
    await tmux.until('● serving');
    tmux.press('q');
    await assertRestored(tmux, 0);
  });
});

test('sohu top says so where no cluster runs', async (t) => {
  const tmux = await openTerminal(t, makeCliEnvironment(t));
  if (tmux === undefined) return;
  tmux.sohu('top; echo "code $?"');
  assert.match(await tmux.until(/code 2$/m), /error: no cluster runs on this machine/);
});
