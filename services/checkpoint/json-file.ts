import { ModelError } from '../core/support/errors.ts';
import { ByteFile } from './byte-file.ts';

const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Reads a whole file of bounded size. */
export function readWholeFile(path: string): Uint8Array {
  const file = new ByteFile(path);
  try {
    if (file.sizeBytes > MAX_FILE_BYTES) {
      throw new ModelError(
        `${path} must be at most ${MAX_FILE_BYTES} bytes, not ${file.sizeBytes}`,
      );
    }
    return file.read(0, file.sizeBytes);
  } finally {
    file.close();
  }
}

/** Reads a JSON file. */
export function readJsonFile(path: string): unknown {
  return parseJson(readWholeFile(path), path);
}

/** Parses UTF-8 JSON; `where` names its place in the error. */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return json;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`${where} must be JSON: ${reason}`, { cause });
  }
}
