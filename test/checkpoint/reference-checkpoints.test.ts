import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Checkpoint } from '../../services/checkpoint/checkpoint.ts';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { listTensors, tensorShape } from '../../services/checkpoint/tensor-table.ts';
import type { TensorId } from '../../services/core/model/tensors.ts';
import { writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { BUNDLED_MODELS, requireReference } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

function readWhole(checkpoint: Checkpoint, tensor: TensorId): Float32Array {
  const [rowEnd, columnEnd] = tensorShape(checkpoint.config, tensor.kind);
  return checkpoint.read(tensor, { rowStart: 0, rowEnd, columnStart: 0, columnEnd });
}

test('a llama2.c file and the Hugging Face checkpoint derived from it hold the same model', (t) => {
  const path = requireReference(t, 'stories260K/stories260K.bin');
  if (path === undefined) return;
  const original = openCheckpoint(path);
  const derived = openCheckpoint(join(dirname(path), 'hf-derived'));
  t.after(() => original.close());
  t.after(() => derived.close());
  assert.equal(original.format, 'llama2c');
  assert.equal(derived.format, 'huggingface');
  assert.deepEqual(original.config.stopTokenIds, [1, 2]);
  assert.deepEqual(
    { ...original.config, stopTokenIds: [] },
    { ...derived.config, stopTokenIds: [] },
  );
  const tensors: TensorId[] = [...listTensors(original.config), { kind: 'lmHead' }];
  for (const tensor of tensors) {
    assert.deepEqual(readWhole(original, tensor), readWhole(derived, tensor), tensor.kind);
  }
});

test('the bundled model reads as its bytes say', (t) => {
  const directory = join(BUNDLED_MODELS, 'tinystories-5m');
  const checkpoint = openCheckpoint(directory);
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.config.layers, 6);
  assert.equal(checkpoint.config.headDim, 16);
  assert.deepEqual(checkpoint.config.stopTokenIds, [1]);
  const file = readFileSync(join(directory, 'model.safetensors'));
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const embedding = readWhole(checkpoint, { kind: 'embedding' }); // first in the file
  const expected = Float32Array.from(embedding, (_, index) => {
    const bits = Buffer.alloc(4);
    bits.writeUInt16LE(file.readUInt16LE(dataStart + 2 * index), 2);
    return bits.readFloatLE(0);
  });
  assert.deepEqual(embedding, expected);
  assert.deepEqual(readWhole(checkpoint, { kind: 'lmHead' }), embedding);
});

test('a weights file is opened with the config.json beside it', (t) => {
  const checkpoint = openCheckpoint(join(BUNDLED_MODELS, 'tinystories-5m', 'model.safetensors'));
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.config.vocabSize, 2048);
});

test('the stop tokens of a generation_config.json join those of the config.json', (t) => {
  const directory = makeTemporaryDirectory(t);
  writeHfCheckpoint(directory, { config: { eos_token_id: 9 } });
  const path = join(directory, 'generation_config.json');
  writeFileSync(path, '{"eos_token_id":[1,9,8]}');
  const checkpoint = openCheckpoint(directory);
  t.after(() => checkpoint.close());
  assert.deepEqual(checkpoint.config.stopTokenIds, [9, 1, 8]);
  writeFileSync(path, '{"eos_token_id":64}');
  assert.throws(() => openCheckpoint(directory), /eos_token_id.*64/);
});
