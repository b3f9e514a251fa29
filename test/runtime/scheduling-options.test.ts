import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { Command } from 'commander';
import {
  addKvOptions,
  addPolicyOptions,
} from '../../services/runtime/options/scheduling-options.ts';
import { addServingOptions } from '../../services/runtime/options/serving-options.ts';
import { packagePath } from '../../services/runtime/package-info.ts';

/** The table of scheduler options in the README: names and defaults. */
function readmeOptions(): Map<string, string> {
  const readme = readFileSync(packagePath('README.md'), 'utf8');
  const rows = readme.matchAll(/^\| `--([a-z-]+)` +\| (.*?) +\|/gm);
  return new Map([...rows].map(([, name, given]) => [name!, given!.replaceAll('`', '')]));
}

suite('the options of scheduling', () => {
  test('are all in the README, with their defaults', () => {
    const listed = readmeOptions();
    const policies = addPolicyOptions(addKvOptions(new Command()), { maxNumQueuedReqs: 1 });
    const names = policies.options.map((option) => option.attributeName());
    const options = addServingOptions(new Command()).options.filter(
      (option) => names.includes(option.attributeName()) || option.long!.startsWith('--max-num'),
    );
    assert.equal(options.length, listed.size);
    for (const { long, defaultValue, negate } of options) {
      const given = listed.get(long!.slice(2));
      assert.ok(given !== undefined, `${long} is in the README`);
      if (defaultValue === undefined || negate) continue;
      assert.equal(given.split(' ')[0], String(defaultValue), long);
    }
  });
});
