import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { ModelConfig } from '../core/model/config.ts';
import { parseHfConfig, parseStopTokenIds } from '../core/model/hf-config.ts';
import { ModelError } from '../core/support/errors.ts';
import { isFields } from '../core/support/fields.ts';
import { ByteFile } from './byte-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { readJsonFile } from './json-file.ts';
import { Llama2cSource, readLlama2cConfig } from './llama2c-source.ts';
import { openSafetensors } from './safetensors-files.ts';
import { SafetensorsSource } from './safetensors-source.ts';

/**
 * Opens a Hugging Face directory, a .safetensors file with its config.json beside it, or a llama2.c
 * .bin file. Checks everything but the weights' values, which are checked as they are read.
 */
export function openCheckpoint(path: string): Checkpoint {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new ModelError(`there is no model at ${path}`);
  const directory = resolve(status.isDirectory() ? path : dirname(path));
  if (status.isDirectory()) return openHuggingFace(directory, undefined);
  if (extname(path) === '.safetensors') return openHuggingFace(directory, basename(path));
  if (extname(path) === '.bin') return openLlama2c(path, directory);
  throw new ModelError(
    `a model must be a directory, a .safetensors file or a llama2.c .bin file, not ${path}`,
  );
}

function openHuggingFace(directory: string, weightsFile: string | undefined): Checkpoint {
  const config = readConfig(directory);
  const { entries, close } = openSafetensors(directory, weightsFile);
  return closingOnError(close, () => {
    const source = new SafetensorsSource(config, entries);
    const read: Checkpoint['read'] = (tensor, slice) => source.read(tensor, slice);
    return { config, format: 'huggingface', directory, read, close };
  });
}

function openLlama2c(path: string, directory: string): Checkpoint {
  const file = new ByteFile(path);
  const close = (): void => file.close();
  return closingOnError(close, () => {
    const config = readLlama2cConfig(file);
    const source = new Llama2cSource(config, file);
    const read: Checkpoint['read'] = (tensor, slice) => source.read(tensor, slice);
    return { config, format: 'llama2c', directory, read, close };
  });
}

function closingOnError<T>(close: () => void, action: () => T): T {
  try {
    return action();
  } catch (error) {
    close();
    throw error;
  }
}

/** A generation_config.json may name more stop tokens than the config.json does. */
function readConfig(directory: string): ModelConfig {
  const config = parseHfConfig(readJsonFile(findConfig(directory)));
  const path = join(directory, 'generation_config.json');
  const generation = existsSync(path) ? readJsonFile(path) : {};
  if (!isFields(generation)) return config;
  const more = parseStopTokenIds(generation, config.vocabSize);
  return { ...config, stopTokenIds: [...new Set([...config.stopTokenIds, ...more])] };
}

/**
 * A model_index.json is what a diffusion pipeline has instead; reading it gives the better refusal.
 */
function findConfig(directory: string): string {
  const candidates = ['config.json', 'model_index.json'].map((name) => join(directory, name));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new ModelError(
    `${directory} must hold a config.json: give the directory of a Hugging Face checkpoint or the path of a llama2.c .bin file`,
  );
}
