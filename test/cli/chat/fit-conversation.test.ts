import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { fitConversation } from '../../../services/cli/chat/fit-conversation.ts';
import type { ChatMessage } from '../../../services/gateway/chat-template.ts';

/** A token for each character. */
function encode(messages: readonly ChatMessage[]): number[] {
  return [...messages.map(({ content }) => content).join('')].map((letter) => letter.charCodeAt(0));
}

function conversation(system: string, contents: readonly string[]): ChatMessage[] {
  const turns = contents.map((content, index) => {
    return { role: index % 2 === 0 ? 'user' : 'assistant', content };
  });
  return [...(system === '' ? [] : [{ role: 'system', content: system }]), ...turns];
}

suite('a conversation that outgrows its context', () => {
  test('loses its oldest exchanges, never what the system says nor the last message', () => {
    const messages = conversation('S', ['aaaa', 'bbbb', 'cccc', 'dddd', 'ee']);
    const fitting = fitConversation(messages, { encode, maxPromptTokens: 12 })!;
    assert.deepEqual(fitting.messages, conversation('S', ['cccc', 'dddd', 'ee']));
    assert.equal(fitting.dropped, 2);
    assert.equal(fitting.tokenIds.length, 11);
  });

  test('is refused where the last message alone is too long', () => {
    const messages = conversation('S', ['a', 'b', 'cccc']);
    assert.equal(fitConversation(messages, { encode, maxPromptTokens: 4 }), undefined);
  });

  test('fits, drops whole exchanges, and no more of them than it must', () => {
    const content = fc.string({ minLength: 1, maxLength: 9, unit: 'grapheme-ascii' });
    const contents = fc
      .array(fc.tuple(content, content), { maxLength: 6 })
      .chain((pairs) => content.map((last) => [...pairs.flat(), last]));
    fc.assert(
      fc.property(content, contents, fc.integer({ min: 1, max: 60 }), (system, turns, most) => {
        const messages = conversation(system, turns);
        const fitting = fitConversation(messages, { encode, maxPromptTokens: most });
        if (fitting === undefined) {
          assert.ok(encode([messages[0]!, messages.at(-1)!]).length > most);
          return;
        }
        const { dropped } = fitting;
        assert.ok(fitting.tokenIds.length <= most);
        assert.equal(dropped % 2, 0);
        assert.deepEqual(fitting.messages, [messages[0], ...messages.slice(1 + dropped)]);
        const wider = [messages[0]!, ...messages.slice(1 + dropped - 2)];
        assert.ok(dropped === 0 || encode(wider).length > most, 'one exchange less would not fit');
      }),
    );
  });
});
