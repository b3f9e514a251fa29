import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packagePath } from '../../runtime/package-info.ts';

/** A file of the page, as it is served. */
export interface ConsoleFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
}

/** The page's own files, and its compiled modules. */
const FOLDERS = ['services/console/page', 'dist/services/console'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

let loaded: ReadonlyMap<string, ConsoleFile> | undefined;

/** The files of the page by name; read once. */
export function consoleFiles(): ReadonlyMap<string, ConsoleFile> {
  loaded ??= new Map(FOLDERS.map((folder) => packagePath(folder)).flatMap(readFolder));
  return loaded;
}

function readFolder(folder: string): [string, ConsoleFile][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => extname(name) in TYPES)
    .map((name) => [name.replaceAll('\\', '/'), readFile(join(folder, name))]);
}

function readFile(path: string): ConsoleFile {
  const body = readFileSync(path);
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  const type = TYPES[extname(path)]!;
  return { type, body, gzip: gzipSync(body, { level: 9 }), etag: `"${digest}"` };
}
