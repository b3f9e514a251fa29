import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { runProgram } from './programs.ts';

const RULES = 'deploy/prometheus/rules';
const CASES = 'test/deploy/alert-cases.yml';

suite('the rules for Prometheus', () => {
  test('are valid, with the configuration that names them', (t) => {
    const result = runProgram(t, 'promtool', [
      'check',
      'config',
      'deploy/prometheus/prometheus.yml',
    ]);
    if (result === undefined) return;
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /2 rule files found/);
  });

  test('give what they should for made-up series, and nothing else', (t) => {
    const directory = makeTemporaryDirectory(t);
    cpSync(RULES, directory, { recursive: true });
    cpSync(CASES, join(directory, 'cases.yml'));
    const result = runProgram(t, 'promtool', ['test', 'rules', join(directory, 'cases.yml')]);
    if (result === undefined) return;
    assert.equal(result.status, 0, result.stdout + result.stderr);
  });

  test('that raise an alert are all tried', () => {
    const alerts = readFileSync(`${RULES}/alerts.yml`, 'utf8').matchAll(/- alert: (\w+)/g);
    const cases = readFileSync(CASES, 'utf8');
    for (const [, name] of alerts) assert.match(cases, new RegExp(`alertname: ${name}\\b`));
  });
});
