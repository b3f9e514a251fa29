import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { natsServerBinary } from '../../support/broker.ts';
import {
  listDescendants,
  makeCliEnvironment,
  runCli,
  startCli,
  untilAllGone,
} from '../../support/cli.ts';
import { listClusters, startDetached } from '../../support/detached-cluster.ts';

suite('a cluster in the background', () => {
  test('does not come to be where it cannot serve: the exit code and the sentence are its own', async (t) => {
    const detached = await startDetached(t, ['--cluster', 'first']);
    if (detached === undefined) return;
    const { env, cluster } = detached;
    const port = new URL(`${cluster.http_url}`).port;
    const taken = await runCli(t, env, ['up', '--detach', '--tp', '1', '--port', port]);
    assert.equal(taken.code, 5, taken.stderr);
    assert.match(taken.stderr, /^error: .*port \d+ of 127\.0\.0\.1 is taken/m);
    assert.equal((await listClusters(t, env)).length, 1);
    await runCli(t, env, ['down', '--all', '--timeout', '0']);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`ends while it starts when its starter ends by ${signal}`, async (t) => {
      if ((await natsServerBinary(t)) === undefined) return;
      const env = makeCliEnvironment(t);
      const up = startCli(t, env, ['up', '-d', '--tp', '8', '--port', '0']);
      await up.untilPrinted('stderr', 'Starting');
      const processes = listDescendants(up.pid);
      assert.ok(processes.length >= 2, 'the program in the background, and its broker');
      up.child.kill(signal);
      const { code } = await up.exited;
      assert.equal(code, signal === 'SIGINT' ? 130 : null);
      await untilAllGone(processes);
      assert.deepEqual(await listClusters(t, env), []);
    });
  }
});
