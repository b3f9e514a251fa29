import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type CliEnvironment, makeCliEnvironment, runCli } from '../../support/cli.ts';

interface Report {
  readonly code: number | null;
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly optional: boolean;
    readonly detail: string;
  }[];
}

async function examine(t: TestContext, env: CliEnvironment): Promise<Report> {
  const { code, stdout } = await runCli(t, env, ['doctor', '--json']);
  return { code, ...JSON.parse(stdout) };
}

function checkOf({ checks }: Report, name: string): Report['checks'][number] {
  return checks.find((check) => check.name === name)!;
}

suite('sohu doctor', () => {
  test('looks at everything that a cluster needs, in text and in JSON', async (t) => {
    const env = makeCliEnvironment(t);
    const report = await examine(t, env);
    assert.deepEqual(
      report.checks.map(({ name }) => name),
      [
        ...['Node.js', 'Build', 'WebAssembly', 'Default model', 'Broker', 'Docker', 'Prometheus'],
        ...['Processor', 'Memory', 'Open files', 'Ports', 'Port 8000', 'Clock'],
        ...['State directory', 'Stale clusters'],
      ],
    );
    assert.equal(report.code, report.ok ? 0 : 1);
    assert.equal(
      report.ok,
      report.checks.every(({ ok, optional }) => ok || optional),
    );
    const { stdout } = await runCli(t, env, ['doctor']);
    for (const { name, ok, optional } of report.checks) {
      const mark = ok ? '✓' : optional ? '!' : '✗';
      assert.ok(stdout.includes(`${mark} ${name} `), stdout);
    }
  });

  test('fails where a need is not met, and says what to do', async (t) => {
    const env = { ...makeCliEnvironment(t), SOHU_NATS_SERVER: '/nonexistent' };
    const report = await examine(t, env);
    assert.equal(report.code, 1);
    assert.match(checkOf(report, 'Broker').detail, /the broker \/nonexistent is not an executable/);
  });

  test('a record of a cluster that ended without a word is told, not removed, and no failure', async (t) => {
    const env = makeCliEnvironment(t);
    const before = await examine(t, env);
    const directory = join(env.XDG_STATE_HOME!, 'sohu', 'clusters');
    mkdirSync(directory, { recursive: true });
    const record = { natsUrl: 'nats://127.0.0.1:1', cluster: 'rack-9' };
    writeFileSync(join(directory, '4194999.json'), JSON.stringify(record));
    for (let repeat = 0; repeat < 2; repeat++) {
      const report = await examine(t, env);
      const stale = checkOf(report, 'Stale clusters');
      assert.deepEqual([stale.ok, stale.optional, report.code], [false, true, before.code]);
      assert.match(stale.detail, /rack-9 \(pid 4194999\).*sohu down/);
    }
  });

  test('a port that is taken is told with what to do about it', async (t) => {
    const server = createServer();
    const isMine = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(8000, '127.0.0.1', () => resolve(true));
    });
    // Where somebody else has it, it is taken as well.
    if (isMine) t.after(() => server.close());
    const port = checkOf(await examine(t, makeCliEnvironment(t)), 'Port 8000');
    assert.deepEqual([port.ok, port.optional], [false, true]);
    assert.match(port.detail, /taken.*--port 0/);
  });
});
