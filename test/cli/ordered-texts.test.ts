import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OrderedTexts } from '../../services/cli/run/ordered-texts.ts';

test('texts that arrive in any interleaving are written whole, in order, each after its start', () => {
  const pieces = fc.array(fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(pieces, fc.infiniteStream(fc.nat()), (texts, choices) => {
      const written: string[] = [];
      const ordered = new OrderedTexts({
        count: texts.length,
        write: (text) => written.push(text),
        onStart: (index) => written.push(`<${index}>`),
      });
      const left = texts.map((parts, index) => ({ index, parts: [...parts] }));
      while (left.length > 0) {
        const at = choices.next().value! % left.length;
        const { index, parts } = left[at]!;
        const part = parts.shift();
        if (part !== undefined) ordered.push(index, part);
        else {
          ordered.end(index);
          left.splice(at, 1);
        }
      }
      const expected = texts.map((parts, index) => `<${index}>${parts.join('')}\n`);
      assert.equal(written.join(''), expected.join(''));
    }),
  );
});
