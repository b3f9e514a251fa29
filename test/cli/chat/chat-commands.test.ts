import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type ChatState, isCommand, runCommand } from '../../../services/cli/chat/chat-commands.ts';
import { ChatParameters, parameterNames } from '../../../services/cli/chat/chat-parameters.ts';
import type { ChatSession } from '../../../services/cli/chat/chat-session.ts';
import { splitWords } from '../../../services/cli/chat/split-words.ts';

function makeState(): ChatState & { cleared: number } {
  const messages = [{ role: 'user', content: 'Hi' }];
  const state = {
    verbose: false,
    clock: 'device',
    about: 'a model',
    parameters: new ChatParameters({}),
    cleared: 0,
  };
  const clear = (): void => void state.cleared++;
  const session = { system: '', messages, clear } as unknown as ChatSession;
  return Object.assign(state, { session });
}

/** What a parameter is after a line. */
function valueAfter(lines: readonly string[], name: string): string {
  const state = makeState();
  for (const line of lines) runCommand(line, state);
  return state.parameters.list().find((parameter) => parameter.name === name)!.value;
}

suite('commands of a chat', () => {
  const settings: readonly (readonly [string, string, string])[] = [
    ['/set temperature 0.25', 'temperature', '0.25'],
    ['/set parameter seed 13', 'seed', '13'],
    ['/set top_p 0.9', 'top_p', '0.9'],
    ['/set top-k -1', 'top_k', '0'],
    ['/set max_tokens 7', 'max_tokens', '7'],
    ['/set stop "." "two words" \\n', 'stop', '[".","two words","\\n"]'],
    ['/set stop_token_ids 5,17', 'stop_token_ids', '[5,17]'],
    ['/set ignore_eos true', 'ignore_eos', 'true'],
  ];
  for (const [line, name, value] of settings) {
    test(line, () => assert.equal(valueAfter([line], name), value));
  }

  test('the value `default` sets back', () => {
    assert.equal(
      valueAfter(['/set temperature 1.5', '/set temperature default'], 'temperature'),
      '0.8',
    );
    assert.equal(valueAfter(['/set stop a', '/set stop default'], 'stop'), '');
    assert.equal(valueAfter(['/set ignore_eos true', '/set ignore_eos false'], 'ignore_eos'), '');
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['/sett', /the nearest is \/set/],
    ['/set', /needs a name: system, verbose, quiet, temperature/],
    ['/set temprature 1', /parameter must be one of .* the nearest is temperature/],
    ['/set temperature hot', /temperature cannot be "hot"\. It must be a number/],
    ['/set temperature -1', /temperature/],
    ['/set top_p 2', /top_p/],
    ['/set seed 1 2', /seed needs one value, or default, not 2/],
    ['/set stop', /stop needs one or more values/],
    ['/set ignore_eos maybe', /ignore_eos must be true, false or default/],
    ['/set stop "open', /close each quote/],
    ['/show parameter', /the nearest is parameters/],
  ];
  for (const [line, message] of refused) {
    test(`${line} is refused, and changes nothing`, () => {
      const state = makeState();
      const before = state.parameters.list();
      assert.throws(() => runCommand(line, state), { name: 'InvalidArgumentError', message });
      assert.deepEqual(state.parameters.list(), before);
    });
  }

  test('what the system says is set with and without quotes, and shown', () => {
    const state = makeState();
    runCommand('/set system Be brief,  please.', state);
    assert.equal(state.session.system, 'Be brief,  please.');
    runCommand('/set system "In\\none line"', state);
    assert.deepEqual(runCommand('/show system', state), ['In\none line']);
    runCommand('/set system ""', state);
    assert.deepEqual(runCommand('/show system', state), ['The system says nothing.']);
  });

  test('/show, /clear, /set verbose, /help and /bye', () => {
    const state = makeState();
    assert.equal(runCommand('/show', state)!.length, parameterNames().length);
    assert.deepEqual(runCommand('/show messages', state), ['user: Hi']);
    assert.deepEqual(runCommand('/show model', state), ['a model']);
    runCommand('/set verbose', state);
    assert.ok(state.verbose);
    runCommand('/set quiet', state);
    assert.ok(!state.verbose);
    runCommand('/clear', state);
    assert.equal(state.cleared, 1);
    for (const line of ['/help', '/?'])
      assert.match(runCommand(line, state)!.join('\n'), /\/set </);
    for (const line of ['/bye', '/exit']) assert.equal(runCommand(line, state), undefined);
  });

  test('only one line that begins with a slash is a command', () => {
    assert.ok(isCommand('/show'));
    assert.ok(!isCommand('a /show'));
    assert.ok(!isCommand('/one\n/two'));
  });

  test('the options of the command line begin it, and are checked', () => {
    const parameters = new ChatParameters({ temperature: 0, stop: ['.'] });
    assert.deepEqual(
      [parameters.request().temperature, parameters.request().stop, parameters.maxTokens],
      [0, ['.'], 256],
    );
    assert.throws(() => new ChatParameters({ topP: 2 }), /top_p/);
  });

  test('words in double quotes come back whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), (words) => {
        const quoted = words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"`);
        assert.deepEqual(splitWords(quoted.join(' ')), words);
      }),
    );
  });
});
