import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { openTokenizer } from '../../services/checkpoint/tokenizer-file.ts';
import { ModelError } from '../../services/core/support/errors.ts';
import { writeHfCheckpoint } from '../support/checkpoint-files.ts';
import { BUNDLED_MODELS, requireReference } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const MODEL = join(BUNDLED_MODELS, 'tinystories-5m');

function assertRefused(action: () => void, ...parts: string[]): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof ModelError, String(error));
    return parts.every((part) => error.message.includes(part));
  });
}

test('the tokenizer beside a model is found, whichever of its paths is given', (t) => {
  const checkpoint = openCheckpoint(MODEL);
  t.after(() => checkpoint.close());
  const { config } = checkpoint;
  for (const modelPath of [MODEL, join(MODEL, 'model.safetensors')]) {
    assert.equal(openTokenizer({ modelPath, config }).vocabSize, 2048);
  }
});

test('a llama2.c model finds its tokenizer by the size of its vocabulary', (t) => {
  const modelPath = requireReference(t, 'stories260K/stories260K.bin');
  if (modelPath === undefined) return;
  const { config, close } = openCheckpoint(modelPath);
  t.after(close);
  assert.equal(openTokenizer({ modelPath, config }).vocabSize, 512);
  const file = join(MODEL, 'tokenizer.json');
  assertRefused(() => openTokenizer({ file, modelPath, config }), '512', '2048');
  const directory = makeTemporaryDirectory(t);
  copyFileSync(join(dirname(modelPath), 'tok512.bin'), join(directory, 'tokenizer.bin'));
  assert.equal(openTokenizer({ modelPath: directory, config }).vocabSize, 512);
  const larger = { ...config, vocabSize: 513 };
  assertRefused(() => openTokenizer({ modelPath: directory, config: larger }), '513', '512');
});

test('where there is none, the candidates are named', (t) => {
  const directory = makeTemporaryDirectory(t);
  const config = writeHfCheckpoint(directory);
  const names = ['tokenizer.json', 'tok64.bin', 'tokenizer.bin'];
  assertRefused(() => openTokenizer({ modelPath: directory, config }), directory, ...names);
  const absent = join(directory, 'absent.json');
  assertRefused(() => openTokenizer({ file: absent, modelPath: directory, config }), absent);
  assertRefused(
    () => openTokenizer({ file: 'vocab.txt', modelPath: directory, config }),
    '.json or .bin',
    'vocab.txt',
  );
});
