import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { colorsFor } from '../../../services/cli/terminal/format.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../services/cli/terminal/glyphs.ts';
import { paintLine } from '../../../services/cli/terminal/styled-line.ts';
import { widthOf } from '../../../services/cli/terminal/text-width.ts';
import { type History, NO_HISTORY, withSnapshot } from '../../../services/cli/top/history.ts';
import { renderTop, type ScreenOptions } from '../../../services/cli/top/render-top.ts';
import type { RequestRow } from '../../../services/cli/top/request-log.ts';
import type { TopState } from '../../../services/cli/top/top-state.ts';
import { FIRST_VIEW, SORT_KEYS, type View } from '../../../services/cli/top/view.ts';
import { makeChipStatus, makeClusterSnapshot } from '../../support/cluster-snapshot.ts';

const PLAIN = colorsFor({}, { NO_COLOR: '1' });
const COLORED = colorsFor({}, { FORCE_COLOR: '1' });
const NOW_MS = 1_700_000_000_000;

function makeRow(requestId: string, fields: Partial<RequestRow> = {}): RequestRow {
  return {
    ...{ requestId, index: 0, phase: 'decode', promptTokens: 7, outputTokens: 20, kvBlocks: 2 },
    ...{ beganMs: NOW_MS - 5_000, preemptions: 0 },
    ...fields,
  };
}

function makeState(fields: Partial<TopState> = {}): TopState {
  const snapshot = makeClusterSnapshot();
  const history = Array.from({ length: 40 }).reduce<History>(
    (before) => withSnapshot(before, snapshot),
    NO_HISTORY,
  );
  const requests = [makeRow('cat', { outputTokens: 3 }), makeRow('dog', { phase: 'waiting' })];
  return { snapshot, engines: 1, history, requests, trouble: undefined, nowMs: NOW_MS, ...fields };
}

function draw(state: TopState, view: Partial<View> = {}, options: Partial<ScreenOptions> = {}) {
  const screen = { width: 80, height: 24, glyphs: UNICODE_GLYPHS, ...options };
  return renderTop(state, { ...FIRST_VIEW, ...view }, screen).map((line) => paintLine(line, PLAIN));
}

const anyName = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom('漢字'.repeat(20), '👩‍👩‍👧‍👦'.repeat(9), '\u001b[2J\u001b]0;x\u0007', 'a\r\nb'),
);
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });
const anyAmount = fc.double({ min: 0, max: 1e15, noNaN: true });
const anyState = fc.record({
  snapshot: fc
    .record({
      ...{ cluster: anyName, modelName: anyName, engine: anyName, uptimeMs: anyAmount },
      chips: fc.array(
        fc
          .record({ mfu: anyShare, hbmBandwidth: anyShare, droppedFrames: fc.nat() })
          .map((chip) => makeChipStatus(0, chip)),
        { maxLength: 20 },
      ),
    })
    .map(makeClusterSnapshot),
  engines: fc.integer({ min: 1, max: 3 }),
  history: fc.array(anyAmount, { maxLength: 300 }).map((values) => ({
    ...{ tokensPerSecond: values, stepMs: values },
    ...{ mfu: values.map((it) => it / 1e15), kvUsage: values.map((it) => it / 1e15) },
  })),
  requests: fc.array(
    fc
      .record({ name: anyName, index: fc.nat(20) })
      .map(({ name, index }) => makeRow(name, { index })),
    { maxLength: 60 },
  ),
  trouble: fc.option(anyName, { nil: undefined }),
});
const anyView = fc.record({
  sortKey: fc.constantFrom(...SORT_KEYS),
  isDescending: fc.boolean(),
  filter: fc.oneof(fc.constant(''), anyName),
  typing: fc.option(anyName, { nil: undefined }),
  isPaused: fc.boolean(),
  hasHelp: fc.boolean(),
  scroll: fc.nat(100),
});

suite('the screen of sohu top', () => {
  for (const glyphs of [UNICODE_GLYPHS, ASCII_GLYPHS]) {
    test(`has its height and never more than its width (${glyphs.isAscii ? 'ASCII' : 'UTF-8'})`, () => {
      const size = fc.record({
        width: fc.integer({ min: 1, max: 240 }),
        height: fc.integer({ min: 1, max: 80 }),
      });
      fc.assert(
        fc.property(anyState, anyView, size, (fields, view, { width, height }) => {
          const lines = renderTop(makeState(fields), view, { width, height, glyphs });
          assert.equal(lines.length, height);
          for (const line of lines) {
            const text = paintLine(line, PLAIN);
            assert.ok(
              widthOf(text) <= width,
              `${widthOf(text)} > ${width}: ${JSON.stringify(text)}`,
            );
            assert.doesNotMatch(text, glyphs.isAscii ? /[^ -~]/ : /[\p{Cc}\p{Cf}]/u);
            assert.ok(widthOf(paintLine(line, COLORED)) <= width, 'colours take no room');
          }
        }),
      );
    });
  }

  test('tells in 80 × 24 all that matters', () => {
    const screen = draw(makeState()).join('\n');
    for (const text of [
      ...['llama-3-70b', 'phantom weights', '● serving', 'epoch 4', 'up 3 min'],
      ...['312 tokens/s', '695k tokens/s', '3.02 ms a step', 'Sohu as claimed', '98% busy'],
      ...['Tokens/s 312', 'MFU 42%', 'KV use 25%', 'Step 3.02 ms'],
      ...['2 of 256 running, 3 waiting, 7 preemptions', 'and 2 that wait for their first step'],
      ...['3 lost', 'joining', 'q quit'],
    ]) {
      assert.ok(screen.includes(text), `${text}\n${screen}`);
    }
    assert.match(screen, /^cat +decode +7 +3 +2 +5 s +0$/m);
    assert.doesNotMatch(screen, /…/);
  });

  test('a bar is as long as its share', () => {
    const chips = [makeChipStatus(0, { mfu: 0.5, droppedFrames: 0 })];
    const line = draw(makeState({ snapshot: makeClusterSnapshot({ chips }) })).find((it) =>
      it.includes('ready'),
    )!;
    const [, bar] = /ready +([━╸─]+)/.exec(line)!;
    assert.equal([...bar!].filter((sign) => sign === '━').length, [...bar!].length / 2);
  });

  test('sorts, filters and scrolls requests', () => {
    const requests = [5, 30, 12].map((outputTokens) =>
      makeRow(`r${outputTokens}`, { outputTokens }),
    );
    const names = (view: Partial<View>): string[] =>
      draw(makeState({ requests }), view).flatMap((line) => /^(r\d+) /.exec(line)?.[1] ?? []);
    assert.deepEqual(names({ sortKey: 'output' }), ['r30', 'r12', 'r5']);
    assert.deepEqual(names({ sortKey: 'output', isDescending: false }), ['r5', 'r12', 'r30']);
    assert.deepEqual(names({ filter: 'R3' }), ['r30']);
    assert.deepEqual(names({ filter: 'R3', typing: 'r5' }), ['r5'], 'while it is typed');
    const many = Array.from({ length: 50 }, (_, index) => makeRow(`r${100 + index}`));
    const shown = (scroll: number): string[] =>
      draw(makeState({ requests: many }), { scroll }).flatMap(
        (it) => /^(r\d+) /.exec(it)?.[1] ?? [],
      );
    assert.equal(shown(0)[0], 'r100');
    assert.equal(shown(10)[0], 'r110');
    assert.equal(shown(1_000).at(-1), 'r149', 'not beyond the end');
    assert.equal(shown(1_000).length, shown(0).length);
  });

  test('tells of trouble, of a pause, and of the keys', () => {
    assert.ok(draw(makeState({ trouble: 'no answer' }))[0]!.includes('● no answer'));
    assert.ok(draw(makeState(), { isPaused: true })[0]!.includes(' paused '));
    assert.ok(draw(makeState(), { hasHelp: true }).some((it) => /^ +q +quit$/.test(it)));
    assert.match(draw(makeState(), { typing: 'abc' }).at(-1)!, /^\/abc .*Enter/);
    assert.ok(draw(makeState({ engines: 2 }))[0]!.includes('engine 0 of 2'));
  });
});
