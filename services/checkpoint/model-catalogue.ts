import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Architecture } from '../core/architecture/architecture.ts';
import { parseParametric } from '../core/architecture/parametric.ts';
import { parseArchitecture } from '../core/architecture/parse-architecture.ts';
import { isFields } from '../core/support/fields.ts';
import { findNamed } from '../core/support/nearest.ts';
import { readJsonFile } from './json-file.ts';

const ENDING = '.json';

/** The names of the models whose sizes come with the program. */
export function listCatalogue(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();
}

/**
 * The architecture that `name` stands for: a member of the parametric family ("moe-100t"), a
 * config.json or a folder with one, or a model of the catalogue.
 */
export function findArchitecture(name: string, directory: string): Architecture {
  const path = findConfigFile(name, directory);
  return path === undefined ? parseParametric(name)! : readArchitecture(path);
}

/** The file that holds the sizes of the model `name`; undefined for the parametric family. */
export function findConfigFile(name: string, directory: string): string | undefined {
  if (parseParametric(name) !== undefined) return undefined;
  if (name !== '' && existsSync(name)) return resolve(configPath(name));
  const found = findNamed(listCatalogue(directory), name, {
    field: 'model',
    namesOf: (item) => [item],
  });
  return join(directory, `${found}${ENDING}`);
}

/** Reads a config.json of a priced family; `_source` says where a catalogue file has it from. */
function readArchitecture(path: string): Architecture {
  const json = readJsonFile(path);
  const source = isFields(json) && typeof json._source === 'string' ? json._source : path;
  const file = basename(path, ENDING);
  return parseArchitecture(json, {
    name: file === 'config' ? basename(resolve(path, '..')) : file,
    source,
  });
}

function configPath(path: string): string {
  return statSync(path).isDirectory() ? join(path, 'config.json') : path;
}
