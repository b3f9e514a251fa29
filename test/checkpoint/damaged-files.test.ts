import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { listTensors, tensorShape } from '../../services/checkpoint/tensor-table.ts';
import { ModelError } from '../../services/core/support/errors.ts';
import {
  type HfCheckpointOptions,
  type TensorFile,
  writeHfCheckpoint,
  writeLlama2cCheckpoint,
  writeSafetensorsParts,
} from '../support/checkpoint-files.ts';
import { encodeFloats } from '../support/float-encoding.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const DOWN = 'model.layers.1.mlp.down_proj.weight';

function readEverything(path: string): void {
  const checkpoint = openCheckpoint(path);
  try {
    for (const tensor of listTensors(checkpoint.config)) {
      const [rowEnd, columnEnd] = tensorShape(checkpoint.config, tensor.kind);
      checkpoint.read(tensor, { rowStart: 0, rowEnd, columnStart: 0, columnEnd });
    }
  } finally {
    checkpoint.close();
  }
}

function assertRefused(action: () => void, ...parts: string[]): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof ModelError, String(error));
    for (const part of parts) {
      assert.ok(error.message.includes(part), `"${error.message}" names ${part}`);
    }
    return true;
  });
}

/** Writes a checkpoint in which the tensor DOWN is changed, and returns its folder. */
function writeChanged(
  t: TestContext,
  change: (tensor: TensorFile) => TensorFile[],
  options: HfCheckpointOptions = {},
): string {
  const directory = makeTemporaryDirectory(t);
  const edit = (tensors: TensorFile[]): TensorFile[] =>
    tensors.flatMap((tensor) => (tensor.name === DOWN ? change(tensor) : [tensor]));
  writeHfCheckpoint(directory, { ...options, edit });
  return directory;
}

test('a tensor that is missing or of the wrong kind is named when the model is opened', (t) => {
  const open = (change: (tensor: TensorFile) => TensorFile[]): (() => void) => {
    const directory = writeChanged(t, change);
    return () => openCheckpoint(directory);
  };
  assertRefused(
    open(() => []),
    DOWN,
    'missing',
  );
  assertRefused(
    open((tensor) => [{ ...tensor, shape: [48, 32] }]),
    DOWN,
    '[32,48]',
    '[48,32]',
  );
  assertRefused(
    open((tensor) => [{ ...tensor, dtype: 'I32' }]),
    DOWN,
    'BF16',
    'I32',
  );
  assertRefused(
    open((tensor) => [{ ...tensor, bytes: tensor.bytes.subarray(4) }]),
    DOWN,
    '6144',
    '6140',
  );
});

test('numbers that are not finite are refused when they are read', (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const directory = writeChanged(t, (tensor) => {
      const bytes = tensor.bytes.slice();
      bytes.set(encodeFloats('F32', [value]), 400);
      return [{ ...tensor, bytes }];
    });
    openCheckpoint(directory).close();
    assertRefused(() => readEverything(directory), DOWN, 'finite', String(value));
  }
  const directory = writeChanged(
    t,
    (tensor) => [{ ...tensor, bytes: tensor.bytes.with(7, 0x7f) }],
    { dtype: 'F8_E4M3' },
  );
  assertRefused(() => readEverything(directory), DOWN, 'NaN');
});

test('F8 block scales are refused, and a scale of another shape is', (t) => {
  const add = (name: string, shape: number[]): string =>
    writeChanged(t, (tensor) => [tensor, { name, dtype: 'F32', shape, bytes: new Uint8Array(8) }], {
      dtype: 'F8_E4M3',
    });
  const inverse = add(`${DOWN}_scale_inv`, [2]);
  assertRefused(() => openCheckpoint(inverse), DOWN, '_scale_inv');
  const short = add(`${DOWN}_scale`, [2]);
  assertRefused(() => openCheckpoint(short), `${DOWN}_scale`, '[2]');
});

test('truncated files are refused', (t) => {
  const directory = makeTemporaryDirectory(t);
  writeHfCheckpoint(directory);
  const path = join(directory, 'model.safetensors');
  const size = readFileSync(path).length;
  truncateSync(path, size - 1);
  assertRefused(() => openCheckpoint(directory), 'lm_head.weight', path);
  truncateSync(path, 100);
  assertRefused(() => openCheckpoint(directory), 'header', path, '92');
  truncateSync(path, 5);
  assertRefused(() => openCheckpoint(directory), path, '5 bytes');
  truncateSync(path, 0);
  assertRefused(() => openCheckpoint(directory), path, '0 bytes');
});

test('absurd headers are refused without asking for their memory', (t) => {
  const directory = makeTemporaryDirectory(t);
  writeHfCheckpoint(directory);
  const path = join(directory, 'model.safetensors');
  writeFileSync(path, new Uint8Array(16).fill(0xff));
  assertRefused(() => openCheckpoint(directory), path, '18446744073709551615');
  for (const header of ['{', '[]', '"x"', 'null']) {
    writeSafetensorsParts(path, header, []);
    assertRefused(() => openCheckpoint(directory), path);
  }
  const entry = (offsets: unknown): string =>
    JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: offsets } });
  for (const offsets of [[0, 9], [-1, 7], [4, 2], [0, 1e300], [0], 'x', null, [0.5, 4]]) {
    writeSafetensorsParts(path, entry(offsets), [new Uint8Array(8)]);
    assertRefused(() => openCheckpoint(directory), 'tensor a', '8 data bytes');
  }
  const overlapping = JSON.stringify({
    a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
  });
  writeSafetensorsParts(path, overlapping, [new Uint8Array(8)]);
  assertRefused(() => openCheckpoint(directory), 'tensor b', 'tensor a');
});

test('an index that does not fit its shards is refused', (t) => {
  const directory = makeTemporaryDirectory(t);
  writeHfCheckpoint(directory, { shards: 2 });
  const path = join(directory, 'model.safetensors.index.json');
  const refuse = (weightMap: unknown, ...parts: string[]): void => {
    writeFileSync(path, JSON.stringify({ weight_map: weightMap }));
    assertRefused(() => openCheckpoint(directory), ...parts);
  };
  refuse(undefined, 'weight_map', path);
  refuse({ [DOWN]: '../elsewhere.safetensors' }, DOWN, '../elsewhere');
  refuse({ [DOWN]: 'absent.safetensors' }, 'absent.safetensors');
  refuse({ [DOWN]: 'model-00001-of-00002.safetensors' }, DOWN, 'model-00001-of-00002');
  refuse({ [DOWN]: 'model-00002-of-00002.safetensors' }, 'model.embed_tokens.weight', 'missing');
});

test('what is not a model is refused with what would be', (t) => {
  const directory = makeTemporaryDirectory(t);
  assertRefused(() => openCheckpoint(join(directory, 'absent')), 'absent');
  assertRefused(() => openCheckpoint(directory), 'config.json', 'llama2.c');
  writeFileSync(join(directory, 'model.gguf'), '');
  assertRefused(() => openCheckpoint(join(directory, 'model.gguf')), '.safetensors', 'gguf');
  writeFileSync(join(directory, 'model_index.json'), '{"_class_name":"StableDiffusionPipeline"}');
  assertRefused(() => openCheckpoint(directory), 'transformers only', 'diffusion');
  writeFileSync(join(directory, 'config.json'), '{"hidden_size":');
  assertRefused(() => openCheckpoint(directory), 'config.json', 'JSON');
  writeHfCheckpoint(join(directory, 'config-only'));
  mkdirSync(join(directory, 'half'));
  const config = readFileSync(join(directory, 'config-only', 'config.json'));
  writeFileSync(join(directory, 'half', 'config.json'), config);
  assertRefused(() => openCheckpoint(join(directory, 'half')), 'model.safetensors');
});

test('a llama2.c file whose sizes do not add up is refused', (t) => {
  const path = join(makeTemporaryDirectory(t), 'model.bin');
  writeLlama2cCheckpoint(path);
  const good = readFileSync(path);
  const refuse = (bytes: Uint8Array, ...parts: string[]): void => {
    writeFileSync(path, bytes);
    assertRefused(() => readEverything(path), ...parts);
  };
  const withHeader = (index: number, value: number): Uint8Array => {
    const bytes = Buffer.from(good);
    bytes.writeInt32LE(value, 4 * index);
    return bytes;
  };
  refuse(good.subarray(0, 20), path, '28', '20');
  refuse(good.subarray(0, -4), path, String(good.length), String(good.length - 4));
  refuse(withHeader(2, 3), path, 'sizes in its header');
  refuse(withHeader(0, -16), 'dim', '-16');
  refuse(withHeader(2, 0), 'n_layers', '0');
  refuse(withHeader(5, 0), 'vocab_size', '0');
  refuse(withHeader(0, 0x616b3432), 'version 0');
  const damaged = Buffer.from(good);
  damaged.writeFloatLE(Number.NaN, 28);
  refuse(damaged, 'embedding', 'NaN');
});

test('no damaged byte does worse than a ModelError', (t) => {
  const directory = makeTemporaryDirectory(t);
  const small = { hidden_size: 8, intermediate_size: 8, num_attention_heads: 2 };
  const config = { ...small, num_key_value_heads: 1, num_hidden_layers: 1, vocab_size: 8 };
  writeHfCheckpoint(directory, { config, dtype: 'F8_E4M3', scales: 'row', shards: 2 });
  const llama2c = join(directory, 'model.bin');
  writeLlama2cCheckpoint(llama2c, { header: [8, 8, 1, 2, 1, -8, 4] });
  const files = [
    join(directory, 'config.json'),
    join(directory, 'model.safetensors.index.json'),
    join(directory, 'model-00001-of-00002.safetensors'),
    join(directory, 'model-00002-of-00002.safetensors'),
    llama2c,
  ];
  const originals = new Map(files.map((file) => [file, readFileSync(file)]));
  const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.constantFrom(...files), damage, fc.boolean(), (file, changes, inFront) => {
      const original = originals.get(file)!;
      const bytes = Buffer.from(original);
      const reach = inFront ? Math.min(64, bytes.length) : bytes.length;
      for (const [place, byte] of changes) bytes[Math.floor(place * (reach - 1))] = byte;
      writeFileSync(file, bytes);
      try {
        readEverything(file === llama2c ? llama2c : directory);
      } catch (error) {
        assert.ok(error instanceof ModelError, String(error));
      } finally {
        writeFileSync(file, original);
      }
    }),
    { numRuns: 1500 },
  );
});
