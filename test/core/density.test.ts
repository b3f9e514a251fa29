import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { densityOf, growthOf } from '../../services/core/hardware/density.ts';

test('from H100 to B200 a chip has more than twice the arithmetic, and a mm² hardly more', () => {
  const [from, to] = ['H100', 'B200'].map((name) => densityOf(findChip(name))!);
  const { perChip, perSquareMillimetre } = growthOf({ from: from!, to: to! });
  assert.ok(perChip > 2.2 && perChip < 2.3);
  assert.ok(perSquareMillimetre.low > 1 && perSquareMillimetre.high < 1.2);
});

test('a chip whose area nobody published has no density', () => {
  assert.equal(densityOf(findChip('Sohu')), undefined);
});
