import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { areaChart, chartCapacity, roundTop } from '../../../services/cli/terminal/area-chart.ts';
import { ASCII_GLYPHS, glyphsFor, UNICODE_GLYPHS } from '../../../services/cli/terminal/glyphs.ts';
import { meterOf } from '../../../services/cli/terminal/meter.ts';
import { cutText, fitText, safeText, widthOf } from '../../../services/cli/terminal/text-width.ts';

const GLYPHS = fc.constantFrom(UNICODE_GLYPHS, ASCII_GLYPHS);
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const anyWidth = fc.integer({ min: 0, max: 40 });

suite('text in columns', () => {
  test('fits exactly, and is cut only where it must be', () => {
    fc.assert(
      fc.property(anyText.map(safeText), anyWidth, (text, width) => {
        assert.equal(widthOf(fitText(text, width)), width);
        const cut = cutText(text, width);
        assert.equal(cut === text, widthOf(text) <= width);
        assert.ok(text.startsWith(cut.replace(/…$/, '')));
      }),
    );
  });

  test('a wide character is not cut in halves', () => {
    assert.equal(cutText('漢字漢字', 6), '漢字…');
    assert.equal(fitText('漢字漢字', 6), '漢字… ');
  });

  test('cannot steer the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(safeText(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
    assert.equal(safeText('a\u001b[2J\u009b\u202eb'), 'a?[2J??b');
  });
});

suite('a meter', () => {
  test('has its width, and grows with the share', () => {
    const share = fc.double({ min: -1, max: 2, noNaN: true });
    fc.assert(
      fc.property(share, share, anyWidth, GLYPHS, (a, b, width, glyphs) => {
        const columns = (value: number): number => {
          const { filled, rest } = meterOf(value, width, glyphs);
          assert.equal(widthOf(filled + rest), width);
          return filled.length;
        };
        if (a < b) assert.ok(columns(a) <= columns(b));
        assert.equal(columns(0), 0);
        assert.equal(columns(1), width);
      }),
    );
  });
});

suite('an area chart', () => {
  test('has its size, and a column is as high as its value', () => {
    const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 });
    const height = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: 20 }),
        height,
        GLYPHS,
        (all, width, high, glyphs) => {
          const rows = areaChart(all, { width, height: high, top: 1 }, glyphs);
          assert.equal(rows.length, high);
          for (const row of rows) assert.equal(widthOf(row), width);
          const capacity = chartCapacity(width, glyphs);
          const shown = all.slice(-capacity);
          const steps = high * (glyphs.isAscii ? 2 : 4);
          const heights = heightsOf(rows, glyphs.isAscii).slice(capacity - shown.length);
          const expected = shown.map((value) => Math.max(1, Math.round(steps * value)));
          assert.deepEqual(heights, expected);
        },
      ),
    );
  });

  test('in braille and in ASCII', () => {
    const values = [0, 0.25, 0.5, 0.75, 1, 1];
    assert.deepEqual(areaChart(values, { width: 4, height: 2, top: 1 }, UNICODE_GLYPHS), [
      '⠀⠀⢠⣿',
      '⠀⣠⣿⣿',
    ]);
    assert.deepEqual(areaChart(values, { width: 6, height: 2, top: 1 }, ASCII_GLYPHS), [
      '   .##',
      '..####',
    ]);
  });

  test('ends at a round figure not below the largest value', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (value) => {
        const top = roundTop(value);
        assert.ok(
          top >= value * (1 - 1e-9) && top <= 2.5 * value * (1 + 1e-9),
          `${top} for ${value}`,
        );
      }),
    );
    assert.equal(roundTop(0), 1);
  });
});

test('signs are those that the locale allows', () => {
  assert.equal(glyphsFor({ LANG: 'de_DE.UTF-8' }), UNICODE_GLYPHS);
  assert.equal(glyphsFor({ LANG: 'en_US.UTF-8', LC_ALL: 'C' }), ASCII_GLYPHS);
  assert.equal(glyphsFor({ LC_CTYPE: 'C.utf8' }), UNICODE_GLYPHS);
  assert.equal(glyphsFor({}), ASCII_GLYPHS);
});

/** Dots of every column, counted from the bottom without a gap. */
function heightsOf(rows: readonly string[], isAscii: boolean): number[] {
  const columns = rows.map((row) =>
    [...row].flatMap((cell) => {
      if (isAscii) return [' .#'.indexOf(cell)];
      const dots = cell.codePointAt(0)! - 0x2800;
      return [dots & 0x47, dots & 0xb8].map((side) => side.toString(2).replaceAll('0', '').length);
    }),
  );
  return columns[0]!.map((_, column) => columns.reduce((sum, row) => sum + row[column]!, 0));
}
