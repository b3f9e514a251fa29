import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf, formatBytes, formatMs } from '../../services/cli/terminal/format.ts';

test('bytes have three digits and the unit that suits them', () => {
  const cases = [0, 7, 999, 1000, 1234, 99_960, 999_600, 709_000, 144e9, 5e15];
  const texts = ['0 B', '7 B', '999 B', '1.00 kB', '1.23 kB', '100 kB', '1.00 MB', '709 kB'];
  assert.deepEqual(cases.map(formatBytes), [...texts, '144 GB', '5000 TB']);
});

test('durations are in microseconds where they are short, and in milliseconds up to a second', () => {
  assert.deepEqual([0, 0.0042, 0.5, 12.34, 999.6, 5450].map(formatMs), [
    '0 ms',
    '4.20 µs',
    '0.50 ms',
    '12.3 ms',
    '1.00 s',
    '5.45 s',
  ]);
});

test('counts agree with their nouns', () => {
  assert.deepEqual([countOf(1, 'chip'), countOf(8, 'chip')], ['1 chip', '8 chips']);
});
