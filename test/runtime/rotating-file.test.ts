import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { RotatingFile, rotatedPaths } from '../../services/runtime/process/rotating-file.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const LIMITS = { maxBytes: 64, olderFiles: 2 };

function makePath(t: TestContext): string {
  return join(makeTemporaryDirectory(t), 'process.log');
}

/** What all files of a log hold, the oldest first. */
function contentOf(path: string): string {
  return rotatedPaths(path, LIMITS.olderFiles)
    .reverse()
    .filter((file) => statSync(file, { throwIfNoEntry: false }) !== undefined)
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
}

suite('a rotating file', () => {
  test('holds the last lines whole, in order, within its bounds', (t) => {
    let run = 0;
    const directory = makeTemporaryDirectory(t);
    const line = fc.string({ maxLength: 30, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const path = join(directory, `${run++}.log`);
        const file = new RotatingFile({ path, ...LIMITS });
        for (const text of lines) file.writeLine(text);
        file.close();
        const kept = contentOf(path);
        const all = lines.map((text) => `${text}\n`).join('');
        assert.ok(all.endsWith(kept));
        assert.ok(kept === '' || all.length === kept.length || all.at(-kept.length - 1) === '\n');
        const total = LIMITS.maxBytes * (1 + LIMITS.olderFiles);
        assert.ok(kept.length <= total);
        assert.ok(
          kept.length >= Math.min(all.length, LIMITS.maxBytes * LIMITS.olderFiles - 2 * 31),
        );
        for (const each of rotatedPaths(path, LIMITS.olderFiles)) {
          assert.ok((statSync(each, { throwIfNoEntry: false })?.size ?? 0) <= LIMITS.maxBytes);
        }
      }),
    );
  });

  test('goes on where an earlier one ended, for its user alone', (t) => {
    const path = makePath(t);
    for (const text of ['one', 'two']) {
      const file = new RotatingFile({ path, ...LIMITS });
      file.writeLine(text);
      file.close();
    }
    assert.equal(contentOf(path), 'one\ntwo\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('cuts a line that is longer than a file', (t) => {
    const path = makePath(t);
    const file = new RotatingFile({ path, ...LIMITS });
    file.writeLine('x'.repeat(1000));
    file.close();
    assert.equal(statSync(path).size, LIMITS.maxBytes);
  });

  test('does not begin where it cannot be written', (t) => {
    const path = makePath(t);
    writeFileSync(path, '');
    assert.throws(() => new RotatingFile({ path: join(path, 'below'), ...LIMITS }), /ENOTDIR/);
  });
});
