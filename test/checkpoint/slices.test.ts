import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFile } from '../../services/checkpoint/byte-file.ts';
import type { Checkpoint } from '../../services/checkpoint/checkpoint.ts';
import { hfTensorName } from '../../services/checkpoint/hf-names.ts';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { listTensors, tensorShape } from '../../services/checkpoint/tensor-table.ts';
import type { TensorId, TensorSlice } from '../../services/core/model/tensors.ts';
import { decodeFloats, type FloatDtype } from '../../services/core/support/float-decoding.ts';
import {
  makeRandom,
  type TensorFile,
  writeHfCheckpoint,
  writeLlama2cCheckpoint,
} from '../support/checkpoint-files.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

function whole(checkpoint: Checkpoint, tensor: TensorId): TensorSlice {
  const [rowEnd, columnEnd] = tensorShape(checkpoint.config, tensor.kind);
  return { rowStart: 0, rowEnd, columnStart: 0, columnEnd };
}

function cut(full: Float32Array, columns: number, slice: TensorSlice): Float32Array {
  const rows = Array.from({ length: slice.rowEnd - slice.rowStart }, (_, index) => {
    const row = (slice.rowStart + index) * columns;
    return [...full.subarray(row + slice.columnStart, row + slice.columnEnd)];
  });
  return Float32Array.from(rows.flat());
}

function assertSlicesAgree(checkpoint: Checkpoint): void {
  const tensors = listTensors(checkpoint.config);
  fc.assert(
    fc.property(fc.constantFrom(...tensors), fc.array(fc.nat(), { minLength: 4 }), (tensor, n) => {
      const all = whole(checkpoint, tensor);
      const [rowStart, rowEnd] = order(n[0]! % (all.rowEnd + 1), n[1]! % (all.rowEnd + 1));
      const [columnStart, columnEnd] = order(
        n[2]! % (all.columnEnd + 1),
        n[3]! % (all.columnEnd + 1),
      );
      const slice = { rowStart, rowEnd, columnStart, columnEnd };
      const expected = cut(checkpoint.read(tensor, all), all.columnEnd, slice);
      assert.deepEqual(checkpoint.read(tensor, slice), expected);
    }),
    { numRuns: 200 },
  );
}

function order(a: number, b: number): [number, number] {
  return a < b ? [a, b] : [b, a];
}

for (const dtype of ['F32', 'BF16', 'F16', 'F8_E4M3'] as const) {
  test(`slices of ${dtype} tensors are those of the whole, which is what was written`, (t) => {
    const directory = makeTemporaryDirectory(t);
    const written = new Map<string, TensorFile>();
    const edit = (tensors: TensorFile[]): TensorFile[] => {
      for (const tensor of tensors) written.set(tensor.name, tensor);
      return tensors;
    };
    const config = writeHfCheckpoint(directory, { dtype, edit, seed: 7 });
    const checkpoint = openCheckpoint(directory);
    t.after(() => checkpoint.close());
    for (const tensor of listTensors(config)) {
      const file = written.get(hfTensorName(tensor));
      assert.ok(file !== undefined);
      const actual = checkpoint.read(tensor, whole(checkpoint, tensor));
      const expected = new Float32Array(actual.length);
      decodeFloats(file.dtype as FloatDtype, file.bytes, expected);
      assert.deepEqual(actual, expected);
    }
    assertSlicesAgree(checkpoint);
  });
}

test('shards with an index read as one file does', (t) => {
  const directory = makeTemporaryDirectory(t);
  const config = writeHfCheckpoint(join(directory, 'one'), { dtype: 'BF16' });
  writeHfCheckpoint(join(directory, 'two'), { dtype: 'BF16', shards: 2 });
  const one = openCheckpoint(join(directory, 'one'));
  const two = openCheckpoint(join(directory, 'two'));
  const byShard = openCheckpoint(join(directory, 'two', 'model-00002-of-00002.safetensors'));
  for (const checkpoint of [one, two, byShard]) t.after(() => checkpoint.close());
  for (const tensor of listTensors(config)) {
    const slice = whole(one, tensor);
    assert.deepEqual(two.read(tensor, slice), one.read(tensor, slice));
    assert.deepEqual(byShard.read(tensor, slice), one.read(tensor, slice));
  }
});

for (const scales of ['tensor', 'row'] as const) {
  test(`F8 weights are multiplied with their factors for each ${scales}`, (t) => {
    const directory = makeTemporaryDirectory(t);
    const factors = new Map<string, Float32Array>();
    const edit = (tensors: TensorFile[]): TensorFile[] => {
      for (const { name, bytes } of tensors) {
        if (name.endsWith('_scale')) factors.set(name, new Float32Array(bytes.buffer));
      }
      return tensors;
    };
    const config = writeHfCheckpoint(directory, { dtype: 'F8_E4M3', scales, edit });
    const scaled = openCheckpoint(directory);
    t.after(() => scaled.close());
    assertSlicesAgree(scaled);
    const down: TensorId = { kind: 'down', layer: 1 };
    const factor = factors.get(`${hfTensorName(down)}_scale`);
    assert.equal(factor?.length, scales === 'row' ? config.hiddenSize : 1);
    const values = scaled.read(down, whole(scaled, down));
    values.forEach((value, index) => {
      const row = scales === 'row' ? Math.floor(index / config.intermediateSize) : 0;
      assert.ok(Math.abs(value) <= Math.fround(448 * factor![row]!));
      const stored = value / factor![row]!; // an E4M3 value has at most four significant bits
      assert.ok(stored === 0 || isShort(stored), `${value} by ${factor![row]}`);
    });
  });
}

function isShort(value: number): boolean {
  const exponent = Math.max(-6, Math.floor(Math.log2(Math.abs(value) * (1 + 1e-6))));
  const steps = value / 2 ** (exponent - 3);
  return Math.abs(steps - Math.round(steps)) < 1e-4;
}

test('slices of a llama2.c file agree with the whole, with its own classifier too', (t) => {
  const directory = makeTemporaryDirectory(t);
  for (const vocab of [32, -32]) {
    const path = join(directory, `model${vocab}.bin`);
    writeLlama2cCheckpoint(path, { header: [16, 24, 2, 4, 2, vocab, 16] });
    const checkpoint = openCheckpoint(path);
    t.after(() => checkpoint.close());
    assert.equal(checkpoint.config.tiedEmbeddings, vocab > 0);
    assertSlicesAgree(checkpoint);
  }
});

test('runs of bytes are the same whether read one by one or together', (t) => {
  const path = join(makeTemporaryDirectory(t), 'bytes');
  const random = makeRandom(3);
  const bytes = Uint8Array.from({ length: 3_000_000 }, () => Math.floor(256 * random()));
  writeFileSync(path, bytes);
  const file = new ByteFile(path);
  t.after(() => file.close());
  const strides = fc.constantFrom(10, 1000, 17_000, 20_000, 60_000);
  fc.assert(
    fc.property(strides, fc.integer({ min: 1, max: 10 }), fc.nat(40), fc.nat(999), (...args) => {
      const [strideBytes, runBytes, count, position] = args;
      const expected = Array.from({ length: count }, (_, run) => [
        ...bytes.subarray(position + run * strideBytes, position + run * strideBytes + runBytes),
      ]);
      const actual = file.readRuns({ position, count, runBytes, strideBytes });
      assert.deepEqual([...actual], expected.flat());
    }),
  );
});
