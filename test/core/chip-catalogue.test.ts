import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Chip } from '../../services/core/hardware/chip.ts';
import { CHIPS, findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { type Figure, rangeOf, valueAt } from '../../services/core/hardware/figure.ts';

function figuresOf(chip: Chip): readonly Figure[] {
  const { streamBytesPerSecond, dieSquareMillimetres, transistors } = chip;
  const optional = [streamBytesPerSecond, dieSquareMillimetres, transistors].filter(
    (it) => it !== undefined,
  );
  return [
    ...Object.values(chip.peakFlops),
    ...Object.values(chip.bestGemmFlops ?? {}),
    ...optional,
    chip.memoryBytes,
    chip.memoryBytesPerSecond,
    chip.links.bytesPerSecond,
    chip.links.networkBytesPerSecond,
    chip.powerWatts,
    chip.priceDollars,
  ];
}

suite('the chip catalogue', () => {
  for (const chip of CHIPS) {
    test(`says where every number of ${chip.name} comes from, and orders its ranges`, () => {
      for (const figure of figuresOf(chip)) {
        const { low, high } = rangeOf(figure);
        assert.ok(figure.source.length > 3);
        assert.ok(low > 0 && low <= high);
        assert.ok(valueAt(figure, 'low') <= valueAt(figure, 'middle'));
      }
    });

    test(`knows no product on ${chip.name} that is faster than its peak`, () => {
      for (const [format, best] of Object.entries(chip.bestGemmFlops ?? {})) {
        const peak = chip.peakFlops[format as keyof Chip['peakFlops']]!;
        assert.ok(rangeOf(best).high <= rangeOf(peak).high);
      }
    });
  }

  test('Sohu as claimed: only its memory is published, and its peak restates the claim', () => {
    const sohu = findChip('sohu');
    assert.equal(sohu.hbmBytes, 144e9);
    assert.equal(sohu.memoryBytes.origin, 'published');
    assert.ok(Object.values(sohu.peakFlops).every(({ byConstruction }) => byConstruction));
    assert.equal(sohu.memoryBytesPerSecond.origin, 'assumed');
  });

  test('finds aliases, and refuses what is not there with the nearest name', () => {
    assert.equal(findChip('H100 SXM 80GB').name, 'H100');
    assert.equal(findChip('tpu-v6e').name, 'TPU v6e');
    assert.throws(
      () => findChip('H101'),
      /^InvalidArgumentError: chip must be one of Sohu, A100, .+, not "H101"; the nearest is H100$/,
    );
  });
});
