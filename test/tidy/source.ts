import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A file, with its path from the root of the repository. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Reads the files below a folder of the repository whose names end so. */
export function readSources(root: string, folder: string, ending: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const COMMENT = String.raw`\/\*[\s\S]*?\*\/|\/\/[^\n]*`;
const QUOTED = String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`;
const TEMPLATE = String.raw`\x60(?:\\.|[^\x60\\])*\x60`;
// A slash after one of these characters begins a regular expression, elsewhere it divides.
const REGEXP = String.raw`(?<=[=(,:?!&|[{;]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`;
const TOKENS = new RegExp([COMMENT, QUOTED, TEMPLATE, REGEXP].join('|'), 'g');

/** The code without comments and literals; what a template evaluates stays. */
export function codeOf({ text }: Source): string {
  return text.replace(TOKENS, (token) => {
    if (token.startsWith('/*') || token.startsWith('//')) return '';
    if (!token.startsWith('`')) return "''";
    return [...token.matchAll(/\$\{([^}]*)\}/g)].map(([, inside]) => ` ${inside} `).join('');
  });
}

const IMPORT =
  /^(?:import|export)\b[^;'"]*?from\s*'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)|new URL\(\s*'(\.[^']+\.js)'/gm;

/** What a file imports, types and worker entries included. */
export function specifiersOf({ text }: Source): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match.slice(1).find(Boolean)!);
}

/** The paths of the files that a file imports. */
export function importsOf(source: Source): string[] {
  return specifiersOf(source)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(source.path), specifier)))
    .map((path) => `${path.replace(/\.(?:ts|js)$/, '')}.ts`);
}

/** The packages that a file imports, Node's own and `#proto` excluded. */
export function packagesOf(source: Source): string[] {
  return specifiersOf(source)
    .filter((specifier) => !/^(?:\.|#|node:)/.test(specifier))
    .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0]);
}

/** The folder of services/ or test/ that a path lies in. */
export function layerOf(path: string): string | undefined {
  return /^services\/([^/]+)\//.exec(path)?.[1];
}
