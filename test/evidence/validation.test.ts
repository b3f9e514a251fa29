import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import { CALIBRATION } from '../../services/core/timing/calibration.ts';
import { steadyState } from '../../services/core/timing/steady-state.ts';
import { readChipMeasurements } from '../../services/evidence/chip-measurements.ts';
import { fitKernels } from '../../services/evidence/fit/fit-kernels.ts';
import { fitVersions } from '../../services/evidence/fit/fit-versions.ts';
import { readMeasuredOperators } from '../../services/evidence/measured-operators.ts';
import { minimize } from '../../services/evidence/minimize.ts';
import { loadOf, makeRowPricer } from '../../services/evidence/predict-row.ts';
import {
  describeRow,
  type PublishedRow,
  readPublishedRows,
} from '../../services/evidence/published-row.ts';
import { medianOf, type ValidatedRow, validateRows } from '../../services/evidence/validate.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { requireTimingData } from '../support/timing-data.ts';

const MEASURED = readChipMeasurements(packagePath('services/evidence/measured'));
const ROWS = readPublishedRows(packagePath('services/evidence/published/rows.csv'));
const architectureOf = (model: string) => findArchitecture(model, packagePath('models/catalogue'));
const VALIDATED = validateRows(ROWS, CALIBRATION, architectureOf);

const medianError = (choose: (row: ValidatedRow) => boolean): number =>
  medianOf(VALIDATED.filter(choose).map(({ error }) => Math.abs(error)));

suite('the timing model against published figures', () => {
  const baseline = VALIDATED.filter(
    ({ row }) =>
      row.version === 'trtllm-0.10.0' &&
      row.model === 'llama-3-70b' &&
      row.chip === 'H100' &&
      row.precision === 'fp8' &&
      row.table === 'trtllm-2048-128',
  );

  test('nothing is fitted on TensorRT-LLM 0.10', () => {
    const rows = VALIDATED.filter(({ row }) => row.version === 'trtllm-0.10.0');
    assert.ok(rows.every(({ role }) => role === 'check'));
    const { anchor, basis } = CALIBRATION.versions['trtllm-0.10.0']!;
    assert.equal(anchor, undefined);
    assert.match(basis, /nothing is fitted on this version/);
  });

  test('751, 1,074 and 1,337 tokens/s on 2, 4 and 8 H100 come out within 10 %', () => {
    assert.deepEqual(
      baseline.map(({ row }) => [row.tp, Math.round(row.value)]),
      [
        [2, 751],
        [4, 1074],
        [8, 1337],
      ],
    );
    for (const { error, row } of baseline) {
      assert.ok(Math.abs(error) < 0.1, `${describeRow(row)}: ${error}`);
    }
  });

  test('more than a third of the step on 8 H100 is all-reduce, on 2 a small part', () => {
    const shares = baseline.map(({ row }) => {
      const context = {
        kernels: CALIBRATION.kernels,
        version: CALIBRATION.versions[row.version]!,
        architecture: architectureOf(row.model),
      };
      const { price } = steadyState(makeRowPricer(row, context), loadOf(row, context));
      return price.breakdown.collectiveSeconds / price.seconds;
    });
    assert.ok(shares[2]! > 0.34 && shares[2]! < 0.45, `${shares}`);
    assert.ok(shares[0]! < 0.18, `${shares}`);
  });

  /** Nobody fitted them: throughput of dense models since 0.12, on chips with links of their own. */
  const isDense = ({ row }: ValidatedRow): boolean =>
    row.table === 'trtllm-inflight' && !isMoe(row.model) && !isStreamed(row) && row.chip !== 'L40S';
  const isMoe = (model: string): boolean =>
    architectureOf(model).groups.some(({ feedForward }) => feedForward.kind === 'experts');
  /** 0.10 was run with --streaming: its host sends every token on its own, which nothing prices. */
  const isStreamed = ({ version }: PublishedRow): boolean => version === 'trtllm-0.10.0';

  test('throughput, all rows that no one fitted: the median error is at most 7 %', () => {
    const isCheck = ({ row, role }: ValidatedRow): boolean =>
      role === 'check' && row.metric === 'output_tokens_per_s';
    assert.ok(VALIDATED.filter(isCheck).length > 1000);
    assert.ok(medianError(isCheck) < 0.07, `${medianError(isCheck)}`);
  });

  test('2,048/128, rows that no one fitted: the median error is at most 7 %', () => {
    const isCheck = ({ row, role }: ValidatedRow): boolean =>
      role === 'check' && row.table === 'trtllm-2048-128';
    assert.ok(medianError(isCheck) < 0.07);
    for (const precision of ['fp8', 'bf16']) {
      const median = medianError(
        (v) => isCheck(v) && v.row.precision === precision && v.row.doubt === undefined,
      );
      assert.ok(median < 0.07, `${precision}: ${median}`);
    }
  });

  test('other lengths, models and chips: the median error is at most 7 %', () => {
    assert.ok(VALIDATED.filter(isDense).length > 500);
    assert.ok(medianError(isDense) < 0.07, `${medianError(isDense)}`);
  });

  test('other chips than H100: the median error is at most 15 %', () => {
    for (const chip of ['A100', 'H200', 'B200', 'GB200']) {
      const median = medianError((v) => isDense(v) && v.row.chip === chip);
      assert.ok(median < 0.15, `${chip}: ${median}`);
    }
    const graphics = medianError(({ row }) => row.chip === 'L40S');
    assert.ok(graphics < 0.15, `${graphics}`);
  });

  test('experts: Mixtral since 0.12 within 7 %', () => {
    const median = medianError(
      ({ row }) => row.model.startsWith('mixtral') && !isStreamed(row) && row.chip !== 'L40S',
    );
    assert.ok(median < 0.07, `${median}`);
  });

  test('requests that arrive on their own: time per token within 8 %, to the first within 15 %', () => {
    const isOnline = ({ row }: ValidatedRow): boolean => row.table === 'trtllm-online';
    const median = (metric: string): number =>
      medianError((v) => isOnline(v) && v.row.metric === metric);
    assert.ok(median('tpot_ms') < 0.08 && median('ttft_ms') < 0.15);
  });

  test('closed loops: time per token within 7 %, time to first token within 15 %', () => {
    const median = (metric: string): number =>
      medianError(({ row }) => row.table === 'vllm-1024-1024' && row.metric === metric);
    assert.ok(median('tpot_ms') < 0.07 && median('ttft_ms') < 0.15);
  });

  test('closed loops at a degree that the fit does not see: 7 % a token, 15 % to the first', () => {
    const loops = ROWS.filter(({ table }) => table === 'vllm-1024-1024');
    const errors = [2, 4, 8].flatMap((tp) => {
      const rows = ROWS.filter((row) => !(loops.includes(row) && row.tp === tp));
      const versions = fitVersions({ kernels: CALIBRATION.kernels, rows, architectureOf });
      const unseen = loops.filter((row) => row.tp === tp);
      return validateRows(unseen, { ...CALIBRATION, versions }, architectureOf);
    });
    const median = (metric: string): number =>
      medianOf(
        errors.filter(({ row }) => row.metric === metric).map(({ error }) => Math.abs(error)),
      );
    assert.ok(median('tpot_ms') < 0.07, `${median('tpot_ms')}`);
    assert.ok(median('ttft_ms') < 0.15, `${median('ttft_ms')}`);
  });

  test('every version has at most one anchor, and newer engines fuse no less', () => {
    const factors: number[] = [];
    for (const [name, parameters] of Object.entries(CALIBRATION.versions)) {
      const anchors = VALIDATED.filter(
        ({ row, role }) => row.version === name && role === 'anchor',
      );
      assert.ok(anchors.length <= 1);
      assert.ok(parameters.elementwiseFactor > 0.5 && parameters.elementwiseFactor < 3, name);
      if (/^trtllm-0\.1[2-5]/.test(name)) factors.push(parameters.elementwiseFactor);
    }
    assert.equal(factors.length, 4);
    assert.deepEqual(
      factors,
      [...factors].sort((a, b) => b - a),
    );
  });
});

suite('the calibration', () => {
  test('is what the measurements give', (t) => {
    const folder = requireTimingData(t);
    if (folder === undefined) return;
    const measured = readMeasuredOperators(join(folder, 'h100_measured_ops.csv'));
    const { kernels, report } = fitKernels({ ...measured, ...MEASURED });
    assert.deepEqual(kernels, CALIBRATION.kernels);
    assert.deepEqual(fitVersions({ kernels, rows: ROWS, architectureOf }), CALIBRATION.versions);
    for (const { operator, meanError } of report) {
      assert.ok(meanError < 0.25, `${operator}: ${meanError}`);
    }
  });

  test('reads sizes of all-reduces as bf16 elements, and leaves empty products out', (t) => {
    const path = join(makeTemporaryDirectory(t), 'operators.csv');
    const head = 'op,name,tp,dtype,m_or_batch_or_ar_elems,n_or_seqlen,k,latency_ms';
    const rows = ['allreduce,,8,bfloat16,1048576,,,0.0283', 'gemm,o,1,bfloat16,0,8192,8192,0.0005'];
    writeFileSync(path, [head, ...rows].join('\n'));
    const { allReduces, gemms } = readMeasuredOperators(path);
    assert.deepEqual(allReduces, [{ tp: 8, bytes: 2 * 1_048_576, seconds: 2.83e-5 }]);
    assert.deepEqual(gemms, []);
  });

  test('refuses a row with the name of its field', (t) => {
    const path = join(makeTemporaryDirectory(t), 'rows.csv');
    writeFileSync(path, 'table,version\nno-table,trtllm-1.0\n');
    assert.throws(() => readPublishedRows(path), /table must be one of .+, not "no-table"/);
    assert.throws(() => readPublishedRows(`${path}.gone`), /must be a readable CSV file/);
  });
});

suite('pattern search', () => {
  test('finds the least of a bent valley inside its bounds', () => {
    const loss = ([x, y]: readonly number[]): number =>
      Math.abs(x! - 0.3) + 3 * Math.abs(y! - 7) + 0.1 * Math.abs(x! * 10 - y! + 4);
    const [x, y] = minimize(loss, [
      { start: 0.9, low: 0, high: 1 },
      { start: 1, low: 0, high: 10 },
    ]);
    assert.ok(Math.abs(x! - 0.3) < 1e-3 && Math.abs(y! - 7) < 1e-2, `${x} ${y}`);
  });

  test('stops at a bound', () => {
    assert.deepEqual(
      minimize(([x]) => -x!, [{ start: 0, low: 0, high: 2 }]),
      [2],
    );
  });
});
