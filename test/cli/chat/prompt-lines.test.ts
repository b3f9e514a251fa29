import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { PromptLines } from '../../../services/cli/chat/prompt-lines.ts';

/** The prompts that lines become, and what is left open. */
function promptsOf(lines: readonly string[]): { prompts: string[]; rest: string | undefined } {
  const reader = new PromptLines();
  const prompts = lines.flatMap((line) => reader.push(line) ?? []);
  return { prompts, rest: reader.take() };
}

suite('lines of a chat become prompts', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['a line each', ['one', 'two'], ['one', 'two']],
    ['an empty line is an empty prompt', [''], ['']],
    ['a backslash goes on', ['one\\', 'two\\', 'three', 'four'], ['one\ntwo\nthree', 'four']],
    ['a block', ['"""one', 'two"""', 'three'], ['one\ntwo', 'three']],
    ['a block between lines of its own', ['"""', 'one', '', 'two', '"""'], ['one\n\ntwo']],
    ['a block in one line', ['"""one"""'], ['one']],
    ['an empty block', ['"""', '"""'], ['']],
    ['a backslash in a block stays', ['"""a\\', 'b"""'], ['a\\\nb']],
    ['quotes within a line', ['say """no"""'], ['say """no"""']],
  ];
  for (const [name, lines, prompts] of cases) {
    test(name, () => assert.deepEqual(promptsOf(lines), { prompts, rest: undefined }));
  }

  test('what is not closed is left', () => {
    assert.deepEqual(promptsOf(['"""one', 'two']), { prompts: [], rest: 'one\ntwo' });
  });

  test('a paste is one prompt with the line that ends it', () => {
    const reader = new PromptLines();
    assert.equal(reader.push('one', { isPasted: true }), undefined);
    assert.equal(reader.push('two', { isPasted: true }), undefined);
    assert.ok(reader.isOpen);
    assert.equal(reader.push('three'), 'one\ntwo\nthree');
    assert.ok(!reader.isOpen);
  });

  test('any text without quotes comes back from a block as it was', () => {
    const line = fc.stringMatching(/^[a-z \\]*$/);
    const text = fc
      .array(line, { minLength: 1 })
      .filter((lines) => lines[0] !== '' && lines.at(-1) !== '');
    fc.assert(
      fc.property(text, (lines) => {
        const block = ['"""', ...lines, '"""'];
        assert.deepEqual(promptsOf(block), { prompts: [lines.join('\n')], rest: undefined });
      }),
    );
  });
});
