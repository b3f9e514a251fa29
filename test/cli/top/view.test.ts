import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Key } from '../../../services/cli/terminal/full-screen.ts';
import { applyKey, FIRST_VIEW, SORT_KEYS, type View } from '../../../services/cli/top/view.ts';

function keyOf(text: string): Key {
  return { text, name: /^[a-z]$/i.test(text) ? text.toLowerCase() : undefined, isCtrl: false };
}

function named(name: string): Key {
  return { text: undefined, name, isCtrl: false };
}

function after(view: View, ...keys: readonly Key[]): View {
  return keys.reduce((current, key) => {
    const next = applyKey(current, key);
    assert.equal(typeof next, 'object');
    return next as View;
  }, view);
}

suite('the keys of sohu top', () => {
  test('q and Ctrl-C end it, Ctrl-Z stops it', () => {
    assert.equal(applyKey(FIRST_VIEW, keyOf('q')), 'quit');
    for (const [name, command] of [
      ['c', 'interrupt'],
      ['z', 'suspend'],
      ['l', 'redraw'],
    ] as const) {
      const key = { text: undefined, name, isCtrl: true };
      assert.equal(applyKey(FIRST_VIEW, key), command);
      assert.equal(applyKey({ ...FIRST_VIEW, typing: 'a' }, key), command);
    }
  });

  test('a filter is typed, kept or given up, and q is a letter of it', () => {
    const typing = after(FIRST_VIEW, keyOf('/'), keyOf('q'), keyOf('é'), keyOf('?'));
    assert.deepEqual([typing.typing, typing.filter], ['qé?', '']);
    const shorter = after(typing, named('backspace'), named('backspace'));
    assert.equal(shorter.typing, 'q');
    const kept = after(shorter, named('return'));
    assert.deepEqual([kept.typing, kept.filter], [undefined, 'q']);
    assert.equal(after(kept, keyOf('/'), keyOf('x'), named('escape')).filter, 'q');
    assert.equal(after(kept, named('escape')).filter, '');
  });

  test('columns are walked through in both directions, and the order turned round', () => {
    let view: View = { ...FIRST_VIEW, sortKey: SORT_KEYS[0] };
    for (const key of SORT_KEYS) {
      assert.equal(view.sortKey, key);
      view = after(view, keyOf('s'));
    }
    assert.equal(view.sortKey, SORT_KEYS[0]);
    assert.equal(after(view, named('left'), named('right')).sortKey, SORT_KEYS[0]);
    assert.equal(after(view, keyOf('r')).isDescending, !view.isDescending);
  });

  test('help and pause come and go', () => {
    for (const key of [keyOf('?'), keyOf('h')]) {
      assert.ok(after(FIRST_VIEW, key).hasHelp);
      assert.ok(!after(FIRST_VIEW, key, key).hasHelp);
    }
    assert.ok(!after(FIRST_VIEW, keyOf('?'), named('escape')).hasHelp);
    for (const key of [keyOf('p'), named('space')]) {
      assert.ok(after(FIRST_VIEW, key).isPaused);
      assert.ok(!after(FIRST_VIEW, key, key).isPaused);
    }
  });

  test('no key brings a view that is none', () => {
    const key = fc.record({
      text: fc.option(fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), {
        nil: undefined,
      }),
      name: fc.option(fc.constantFrom('up', 'down', 'pageup', 'home', 'return', 'toString', 'f5'), {
        nil: undefined,
      }),
      isCtrl: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(key, { maxLength: 30 }), (keys) => {
        let view = FIRST_VIEW;
        for (const each of keys) {
          const next = applyKey(view, each);
          if (typeof next === 'string') continue;
          view = next;
          assert.ok(SORT_KEYS.includes(view.sortKey));
          assert.ok(view.scroll >= 0);
          assert.doesNotMatch(view.filter + (view.typing ?? ''), /\p{Cc}/u);
        }
      }),
    );
  });
});
