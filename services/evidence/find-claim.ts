import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from '../checkpoint/json-file.ts';
import type { Architecture } from '../core/architecture/architecture.ts';
import type { Claim } from '../core/claim/claim.ts';
import { parseClaim } from '../core/claim/parse-claim.ts';
import { InvalidArgumentError, ModelError } from '../core/support/errors.ts';
import { findNamed } from '../core/support/nearest.ts';

const ENDING = '.json';

/** A claim that comes with the program, by its name, or a file with one. */
export function findClaim(
  nameOrPath: string,
  directory: string,
  architectureOf: (model: string) => Architecture,
): Claim {
  const isFile = nameOrPath.endsWith(ENDING) && existsSync(nameOrPath);
  const path = isFile
    ? nameOrPath
    : join(directory, `${namedClaim(nameOrPath, directory)}${ENDING}`);
  return parseClaim(readClaim(path), architectureOf);
}

function readClaim(path: string): unknown {
  try {
    return readJsonFile(path);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new InvalidArgumentError(`claim must be a JSON file: ${error.message}`, { cause: error });
  }
}

function namedClaim(name: string, directory: string): string {
  const names = readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
  return findNamed(names, name, { field: 'claim', namesOf: (item) => [item] });
}
