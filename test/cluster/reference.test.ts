import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { MemoryCluster, type MemoryClusterOptions } from '../support/memory-cluster.ts';
import { NaiveLlama } from '../support/naive-llama.ts';
import { BUNDLED_MODELS, requireReference } from '../support/requirements.ts';
import { SingleChip } from '../support/single-chip.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { arbitraryModel, vocabularyOf, writeTinyModel } from './tiny-models.ts';

const DEGREES = [1, 2, 4, 8];
const TOLERANCE = 1e-4;
/** Positions whose whole logits are published beside the model. */
const LOGIT_POSITIONS = [0, 15, 63, 127];

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The largest difference, relative to the largest logit. */
function errorOf(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length);
  const pairs = Array.from(actual, (value, i) => [value, expected[i]!] as const);
  const scale = Math.max(...pairs.map(([, value]) => Math.abs(value)));
  return Math.max(...pairs.map(([a, b]) => Math.abs(a - b))) / scale;
}

/** Checks greedy ids, which start with BOS alone, and the logits at the published positions. */
async function checkStories(t: TestContext, file: string): Promise<void> {
  const model = requireReference(t, `stories260K/${file}`);
  const reference = requireReference(t, 'stories260K/reference_greedy.json');
  if (model === undefined || reference === undefined) return;
  const { greedy_ids: ids } = readJson(reference) as { greedy_ids: number[] };
  for (const tp of DEGREES) {
    const rows: Float32Array[] = [];
    const options: MemoryClusterOptions = {
      model,
      tp,
      kvBlocks: 64,
      onToken: (running) => rows.push(running.logits()),
    };
    const { tokens } = await MemoryCluster.use(options, (cluster) =>
      cluster.generate({ prompt: ids.slice(0, 1), maxTokens: ids.length - 1 }),
    );
    assert.deepEqual(tokens, ids.slice(1), `TP ${tp}`);
    for (const position of LOGIT_POSITIONS) {
      const path = join(dirname(reference), `reference_logits_pos${position}.f32`);
      const expected = new Float32Array(new Uint8Array(readFileSync(path)).buffer);
      const error = errorOf(rows[position]!, expected);
      assert.ok(error < TOLERANCE, `TP ${tp}, position ${position}: ${error}`);
    }
  }
}

suite('tokens and logits of the references', () => {
  for (const tp of DEGREES) {
    test(`the bundled model continues as Hugging Face transformers does at TP ${tp}`, async () => {
      const model = join(BUNDLED_MODELS, 'tinystories-5m');
      const stories = readJson(join(model, 'reference_greedy.json')) as {
        prompt_ids: number[];
        greedy_ids: number[];
      }[];
      const requests = stories.map(({ prompt_ids, greedy_ids }) => ({
        prompt: prompt_ids,
        maxTokens: greedy_ids.length,
      }));
      const generations = await MemoryCluster.use({ model, tp, kvBlocks: 64 }, (cluster) =>
        cluster.generateAll(requests),
      );
      generations.forEach(({ tokens }, index) => {
        assert.deepEqual(tokens, stories[index]!.greedy_ids);
      });
    });
  }

  test('stories260K continues as llama2.c does, from its .bin', (t) =>
    checkStories(t, 'stories260K.bin'));
  test('stories260K continues as llama2.c does, from safetensors', (t) =>
    checkStories(t, 'hf-derived'));
});

suite('f32 against a naive forward pass in f64', () => {
  const compare = async (model: string, tokens: readonly number[]): Promise<number> => {
    const checkpoint = openCheckpoint(model);
    const expected = new NaiveLlama(checkpoint.config, checkpoint).logits(tokens);
    checkpoint.close();
    const chip = await SingleChip.load({ model, precision: 'f32', maxTokens: tokens.length });
    const errors = chip.logits(tokens).map((row, index) => errorOf(row, expected[index]!));
    return Math.max(...errors);
  };

  test('stories260K, at every position of a text', async (t) => {
    const model = requireReference(t, 'stories260K/stories260K.bin');
    const reference = requireReference(t, 'stories260K/reference_greedy.json');
    if (model === undefined || reference === undefined) return;
    const { greedy_ids: ids } = readJson(reference) as { greedy_ids: number[] };
    const error = await compare(model, ids);
    t.diagnostic(`largest relative error over ${ids.length} positions: ${error.toExponential(2)}`);
    assert.ok(error < TOLERANCE, `${error}`);
  });

  test('random models of odd shapes', async (t) => {
    const directory = makeTemporaryDirectory(t);
    let largest = 0;
    const property = fc.asyncProperty(
      arbitraryModel,
      fc.array(fc.nat(), { minLength: 1, maxLength: 96, size: 'max' }),
      async (tiny, numbers) => {
        const model = writeTinyModel(directory, tiny);
        const vocabulary = vocabularyOf(model);
        const error = await compare(
          model,
          numbers.map((number) => number % vocabulary),
        );
        largest = Math.max(largest, error);
        assert.ok(error < TOLERANCE, `${error}`);
      },
    );
    await fc.assert(property, { numRuns: 40 });
    t.diagnostic(`largest relative error: ${largest.toExponential(2)}`);
  });
});
