import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ModelError } from '../core/support/errors.ts';
import { nearestName } from '../core/support/nearest.ts';

/**
 * The path of a model: `nameOrPath` itself where it exists, else the bundled model of that name.
 */
export function resolveModel(nameOrPath: string, bundledDirectory: string): string {
  if (nameOrPath !== '' && existsSync(nameOrPath)) return resolve(nameOrPath);
  const bundled = listBundledModels(bundledDirectory);
  if (bundled.includes(nameOrPath)) return resolve(bundledDirectory, nameOrPath);
  const nearest = bundled.length > 1 ? `; the nearest is ${nearestName(bundled, nameOrPath)}` : '';
  throw new ModelError(
    `model must be a path that exists or the name of a bundled model (${bundled.join(', ') || 'none found'}), not ${JSON.stringify(nameOrPath)}${nearest}`,
  );
}

/** The names of the models that come with the program. */
export function listBundledModels(bundledDirectory: string): string[] {
  if (!existsSync(bundledDirectory)) return [];
  return readdirSync(bundledDirectory)
    .filter((name) => existsSync(join(bundledDirectory, name, 'model.safetensors')))
    .sort();
}
