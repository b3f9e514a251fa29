import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '../core/support/errors.ts';
import { describeValue, isFields } from '../core/support/fields.ts';
import { ByteFile } from './byte-file.ts';
import { readJsonFile } from './json-file.ts';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.ts';

/** The tensors of one or more safetensors files, which stay open until `close`. */
export interface SafetensorsFiles {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly close: () => void;
}

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
const SHARD_NAME = /-\d+-of-\d+\.safetensors$/;

/**
 * Opens `weightsFile`, or what the directory holds: one file, or the shards that its index lists.
 */
export function openSafetensors(
  directory: string,
  weightsFile: string | undefined,
): SafetensorsFiles {
  const indexPath = join(directory, INDEX_FILE);
  const hasIndex = existsSync(indexPath);
  const isShard = weightsFile !== undefined && hasIndex && SHARD_NAME.test(weightsFile);
  if (weightsFile !== undefined && !isShard) return openFiles(directory, [weightsFile]);
  if (!isShard && existsSync(join(directory, SINGLE_FILE))) {
    return openFiles(directory, [SINGLE_FILE]);
  }
  if (hasIndex) return openIndexed(directory, indexPath);
  throw new ModelError(`${directory} must hold ${SINGLE_FILE} or ${INDEX_FILE}`);
}

function openFiles(directory: string, names: readonly string[]): SafetensorsFiles {
  const files: ByteFile[] = [];
  const close = (): void => {
    for (const file of files.splice(0)) file.close();
  };
  try {
    const entries = new Map<string, SafetensorsEntry>();
    for (const name of names) {
      const file = new ByteFile(join(directory, name));
      files.push(file);
      for (const [tensor, entry] of readSafetensorsHeader(file)) entries.set(tensor, entry);
    }
    return { entries, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Checks that every tensor is where the index places it. */
function openIndexed(directory: string, indexPath: string): SafetensorsFiles {
  const places = readWeightMap(indexPath);
  const names = [...new Set(places.values())].sort();
  const { entries, close } = openFiles(directory, names);
  for (const [tensor, name] of places) {
    if (entries.get(tensor)?.file.path === join(directory, name)) continue;
    close();
    throw new ModelError(`tensor ${tensor} must be in ${name}, where ${indexPath} places it`);
  }
  return { entries, close };
}

/**
 * The file of each tensor. A name with a folder in it is refused: shards lie beside their index.
 */
function readWeightMap(indexPath: string): Map<string, string> {
  const index = readJsonFile(indexPath);
  const weightMap = isFields(index) ? index.weight_map : undefined;
  if (!isFields(weightMap)) {
    throw new ModelError(
      `weight_map of ${indexPath} must be an object, not ${describeValue(weightMap)}`,
    );
  }
  const places = new Map<string, string>();
  for (const [tensor, name] of Object.entries(weightMap)) {
    if (typeof name !== 'string' || !/^[^/\\\0]+\.safetensors$/.test(name)) {
      throw new ModelError(
        `weight_map of ${indexPath} must name a .safetensors file for ${tensor}, not ${describeValue(name)}`,
      );
    }
    places.set(tensor, name);
  }
  return places;
}
