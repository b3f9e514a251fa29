import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBars } from '../../services/cli/terminal/bar-chart.ts';

test('bars are solid to the low end, shaded to the high end, and marked', () => {
  const text = renderBars(
    [
      { label: 'one', value: { low: 24, high: 36 }, text: '24 to 36' },
      { label: 'three', value: { low: 12, high: 12 }, text: '12' },
    ],
    48,
  );
  const [one, three] = text.split('\n');
  assert.equal(one, `one   ${'█'.repeat(24)}${'░'.repeat(12)}${' '.repeat(12)}┃ 24 to 36`);
  assert.equal(three, `three ${'█'.repeat(12)}${' '.repeat(36)}┃ 12`);
});

test('without a mark the longest bar fills the width', () => {
  assert.equal(
    renderBars([{ label: 'a', value: { low: 5, high: 5 }, text: '5' }]),
    `a ${'█'.repeat(48)} 5`,
  );
});
