import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { figureOf, makeAudit, makeClaim } from '../support/claims.ts';

const AUDIT = makeAudit(makeClaim());

/** Equal to as many digits as the expected number is written with. */
function assertDigits(actual: number, expected: number, digits: number, what: string): void {
  const rounded = Number(actual.toPrecision(digits));
  assert.equal(rounded, expected, `${what}: ${actual}`);
}

suite('the audit of eight Sohu calculates', () => {
  /** Worked out by hand from the announcement and the data sheets, to so many digits. */
  const figures: readonly (readonly [string, number, number])[] = [
    ['requests-per-second', 229.8, 4],
    ['output-tokens-per-second', 29_412, 5],
    ['processed-per-output', 17, 2],
    ['gpu-output-only-flops', 54.7e15, 3],
    ['gpu-output-only-over-peak', 3.5, 2],
    ['output-only-flops-per-chip', 149e15, 3],
    ['flops-per-token', 139.9e9, 4],
    ['attention-share', 0.02, 1],
    ['sustained-server', 69.9e15, 3],
    ['sustained-chip', 8.74e15, 3],
    ['peak-over-h100', 4.9, 2],
    ['peak-over-b200', 2.16, 3],
    ['kv-bytes-per-token', 163_840, 6],
    ['kv-read', 10.17e12, 4],
    ['memory-rate-at-127', 3.28e12, 3],
    ['memory-rate-at-256', 2.27e12, 3],
    ['memory-rate-at-512', 1.77e12, 3],
    ['memory-rate-at-1024', 1.52e12, 3],
    ['memory-rate-at-2048', 1.4e12, 3],
    ['tpot-at-127', 0.0043, 2],
    ['tpot-at-256', 0.0087, 2],
    ['tpot-at-512', 0.0174, 3],
    ['tpot-at-1024', 0.0348, 3],
    ['tpot-at-2048', 0.0696, 3],
    ['sequences-that-fit', 2870, 3],
    ['all-reduce-bytes', 2.62e6, 3],
    ['link-ring', 2.29e12, 3],
    ['link-in-network', 1.31e12, 3],
    ['link-ring-fp8', 1.15e12, 3],
    ['link-in-network-fp8', 0.66e12, 2],
    ['link-pipeline', 8.2e9, 2],
    ['energy-of-h100', 0.52e-12, 2],
    ['replaces-implied', 3125, 4],
    ['roofline-flops', 304.5e12, 4],
    ['roofline-weights', 140e9, 3],
    ['roofline-kv', 72.4e9, 3],
    ['roofline-seconds', 0.04425, 4],
    ['roofline-need', 6.88e15, 3],
    ['roofline-kv-layers', 90.5e9, 3],
  ];
  for (const [id, expected, digits] of figures) {
    test(id, () => {
      const { low, high } = figureOf(AUDIT, id);
      assert.equal(low, high);
      assertDigits(low, expected, digits, id);
    });
  }

  const ranges: readonly (readonly [string, number, number, number])[] = [
    ['implied-peak', 9.71e15, 10.9e15, 3],
    ['fma', 2.7e6, 3.2e6, 2],
    ['matmul-transistors', 27e9, 32e9, 2],
    ['energy-per-flop', 0.08e-12, 0.114e-12, 2],
    ['spend-that-one-percent-pays', 5e9, 10e9, 2],
  ];
  for (const [id, low, high, digits] of ranges) {
    test(`${id}, from one end to the other`, () => {
      const range = figureOf(AUDIT, id);
      assertDigits(range.low, low, digits, id);
      assertDigits(range.high, Number(high.toPrecision(digits)), digits, id);
    });
  }

  test('the share of transistors that multiplies matrices: 3.3 %, cut off', () => {
    assert.equal(Math.floor(figureOf(AUDIT, 'matmul-share').low * 1000), 33);
  });

  test('a source for every figure, and no figure that is not a number', () => {
    for (const { lines } of AUDIT.sections) {
      for (const line of lines) {
        const { low, high } = figureOf(AUDIT, line.id);
        assert.ok(low > 0 && low <= high && Number.isFinite(high), line.id);
        assert.ok(line.sources.length > 0 && line.sources.every((text) => text !== ''), line.id);
        assert.notEqual(line.by, '');
      }
    }
    const ids = AUDIT.sections.flatMap(({ lines }) => lines.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
  });
});

suite('its verdicts', () => {
  const verdictOn = (start: string) =>
    AUDIT.verdicts.find(({ resource }) => resource.startsWith(start))!;

  test('arithmetic, energy and links of tensor parallelism are beyond what is known', () => {
    for (const resource of ['dense fp8 peak', 'energy of a FLOP', 'links, TP8: added']) {
      assert.equal(verdictOn(resource).verdict, 'beyond', resource);
    }
    const { factor, bestChip } = verdictOn('links, TP8: added');
    assert.equal(bestChip, 'B200');
    assertDigits(factor.high, 2.5, 2, 'ring over NVLink 5');
  });

  test('memory and links of a pipeline are no obstacle', () => {
    for (const resource of ['memory bandwidth', 'memory, 127', 'links, PP8', 'transistors']) {
      assert.equal(verdictOn(resource).verdict, 'met', resource);
    }
  });

  test('H100 spends four and a half to seven times the energy', () => {
    const { low, high } = figureOf(AUDIT, 'energy-per-flop');
    const h100 = figureOf(AUDIT, 'energy-of-h100').low;
    assert.ok(h100 / high > 4.5 && h100 / low < 7);
  });
});

suite('published rows against the claim', () => {
  const find = (row: {
    readonly version: string;
    readonly model: string;
    readonly chip: string;
    readonly precision?: string;
    readonly tp: number;
    readonly sequences?: number;
  }) => {
    const wanted = { precision: 'fp8', ...row };
    const found = AUDIT.baselines.filter((baseline) =>
      Object.entries(wanted).every(
        ([field, value]) => baseline.row[field as keyof typeof baseline.row] === value,
      ),
    );
    assert.equal(found.length, 1, JSON.stringify(row));
    return found[0]!;
  };
  const h100 = { chip: 'H100', model: 'llama-3-70b' };
  const h200 = { chip: 'H200', model: 'llama-3-70b' };
  const b200 = { chip: 'B200', model: 'llama-3.3-70b', precision: 'fp4' };
  /** Processed tokens per second, ratio and, where it was worked out, MFU in percent. */
  const rows: readonly (readonly [Parameters<typeof find>[0], number, number, number?])[] = [
    [{ ...h100, version: 'trtllm-0.10.0', tp: 8 }, 22_735, 22.0, 20.1],
    [{ ...h100, version: 'trtllm-0.10.0', tp: 4 }, 36_527, 13.7, 32],
    [{ ...h100, version: 'trtllm-0.10.0', tp: 2 }, 51_078, 9.8, 45],
    [
      { chip: 'H100', model: 'llama-2-70b', version: 'trtllm-0.9.0', tp: 2, sequences: 96 },
      47_056,
      10.6,
      42,
    ],
    [{ ...h100, version: 'trtllm-0.11.0', tp: 8 }, 29_562, 16.9, 26],
    [{ ...h100, version: 'trtllm-0.12.0', tp: 8 }, 32_864, 15.2],
    [{ ...h100, version: 'trtllm-0.15.0', tp: 8 }, 34_979, 14.3, 31],
    [{ ...h100, version: 'trtllm-0.15.0', tp: 2 }, 52_571, 9.5, 46],
    [{ chip: 'H100', model: 'llama-3.3-70b', version: 'trtllm-1.0', tp: 2 }, 51_816, 9.6, 46],
    [{ ...h200, version: 'trtllm-0.10.0', tp: 1 }, 66_883, 7.5, 59],
    [{ ...h200, version: 'trtllm-0.10.0', tp: 8 }, 24_393, 20.5],
    [{ chip: 'H200', model: 'llama-3.3-70b', version: 'trtllm-1.0', tp: 1 }, 60_112, 8.3],
    [{ ...b200, version: 'trtllm-0.19', tp: 1 }, 187_067, 2.7],
    [{ ...b200, version: 'trtllm-0.19', tp: 8 }, 63_203, 7.9],
    [{ ...b200, version: 'trtllm-1.0', tp: 1 }, 182_104, 2.7],
  ];
  for (const [row, processed, ratio, mfu] of rows) {
    test(`${row.version} ${row.model} ${row.chip} TP${row.tp}: ${ratio} ×`, () => {
      const found = find(row);
      assert.equal(Math.round(found.processedTokensPerSecond), processed);
      assert.ok(Math.abs(found.ratio - ratio) < 0.051, `${found.ratio}`);
      if (mfu !== undefined) assert.ok(Math.abs(100 * found.mfu - mfu) < 0.6, `${found.mfu}`);
    });
  }

  test('a published row counts on chips of the claim’s class alone', () => {
    assert.ok(AUDIT.baselines.every(({ row }) => row.chip !== 'L40S'));
    assert.ok(AUDIT.baselines.some(({ row }) => row.chip === 'GB200'));
  });

  test('"more than 20 times" holds against TP 8 of 0.10 alone, among rows as narrow', () => {
    const above = AUDIT.baselines.filter(
      ({ ratio, row }) => ratio > 20 && ['fp8', 'fp4'].includes(row.precision),
    );
    assert.equal(above.length, 4);
    assert.ok(above.every(({ row }) => row.version === 'trtllm-0.10.0' && row.tp === 8));
  });

  test('23,000 is the published row restated; 45,000 is below every row of B200', () => {
    const [onH100, onB200] = AUDIT.comparisons;
    assert.ok(Math.abs(onH100!.nearest!.processedTokensPerSecond / 23_000 - 1) < 0.02);
    assert.equal(onH100!.nearest!.row.tp, 8);
    assert.equal(onH100!.range!.low, onH100!.nearest!.processedTokensPerSecond);
    assert.ok(onB200!.comparison.tokensPerSecond < onB200!.range!.low);
    assert.equal(onB200!.holdsAgainst.length, 0);
  });
});

suite('what is not disclosed', () => {
  const at = (layout: string, figure: string) =>
    AUDIT.sensitivity.find((line) => line.layout === layout && line.figure.startsWith(figure))!;

  test('decides under tensor parallelism by the links, under pipeline stages by the utilisation', () => {
    const span = (layout: string, figure: string): number => {
      const { low, high } = at(layout, figure).tokensPerSecond;
      return high - low;
    };
    assert.ok(span('TP8', 'link') > span('TP8', 'utilisation'));
    assert.ok(span('TP8', 'link') > span('TP8', 'memory'));
    assert.ok(span('PP8', 'utilisation') > 5 * span('PP8', 'link'));
  });

  test('never lets the priced rate exceed the claim', () => {
    for (const { tokensPerSecond } of AUDIT.sensitivity) {
      assert.ok(tokensPerSecond.low > 0 && tokensPerSecond.high <= 500_001);
    }
  });

  test('with links fast enough, tensor parallelism reaches the claim', () => {
    const rate = figureOf(AUDIT, 'link-priced').low;
    assert.ok(rate > figureOf(AUDIT, 'link-ring').low && rate < 1e13, `${rate}`);
  });
});

suite('other claims', () => {
  test('scale: twice the rate takes twice of everything but memory and time', () => {
    const rate = fc.integer({ min: 1000, max: 5_000_000 });
    const property = fc.property(rate, (tokens) => {
      const [one, two] = [1, 2].map((factor) =>
        makeAudit(makeClaim({ tokens_per_second: tokens * factor, chip: 'H200' })),
      );
      for (const id of ['sustained-chip', 'link-ring', 'memory-rate-at-512', 'fma']) {
        assert.ok(Math.abs(figureOf(two!, id).low / figureOf(one!, id).low - 2) < 1e-9, id);
      }
      assert.equal(
        figureOf(two!, 'sequences-that-fit').low,
        figureOf(one!, 'sequences-that-fit').low,
      );
    });
    fc.assert(property, { numRuns: 10 });
  });

  test('of a chip that only its file describes have a peak by construction', () => {
    const claim = makeClaim({
      chips: 1,
      model: 'mixtral-8x7b',
      chip: {
        name: 'Dream',
        memory_bytes: 96e9,
        memory_bytes_per_second: { low: 1e12, high: 2e12 },
        link_bytes_per_second: 1e11,
        power_watts: 500,
        price_dollars: 10_000,
      },
      matmul: undefined,
      replaces: undefined,
      roofline: undefined,
      comparisons: undefined,
    });
    const audit = makeAudit(claim);
    assert.equal(claim.chip.peakFlops.fp8!.byConstruction, true);
    assert.ok(audit.baselines.length > 0);
    assert.ok(audit.baselines.every(({ row }) => row.model === 'mixtral-8x7b' && row.tp === 1));
    assert.ok(audit.sections.every(({ title }) => !title.startsWith('Links')));
    assert.ok(audit.sensitivity.every(({ layout }) => layout === 'TP1'));
  });
});
