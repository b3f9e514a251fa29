import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveModel } from '../../services/checkpoint/resolve-model.ts';
import { ModelError } from '../../services/core/support/errors.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

test('a bundled name gives its path, and a path that exists wins over a name', (t) => {
  const bundled = join(BUNDLED_MODELS, 'tinystories-5m');
  assert.equal(resolveModel('tinystories-5m', BUNDLED_MODELS), bundled);
  assert.equal(resolveModel(bundled, BUNDLED_MODELS), bundled);
  const directory = makeTemporaryDirectory(t);
  mkdirSync(join(directory, 'tinystories-5m'));
  const before = process.cwd();
  process.chdir(directory);
  t.after(() => process.chdir(before));
  assert.ok(resolveModel('tinystories-5m', BUNDLED_MODELS).startsWith(process.cwd()));
});

test('anything else is refused with the names there are', () => {
  for (const name of ['llama-9', '', 'tinystories-5m/absent']) {
    assert.throws(
      () => resolveModel(name, join(BUNDLED_MODELS)),
      (error: unknown) => error instanceof ModelError && error.message.includes('tinystories-5m'),
    );
  }
  assert.throws(() => resolveModel('x', join(BUNDLED_MODELS, 'absent')), /none found/);
});
