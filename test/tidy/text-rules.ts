import { basename } from 'node:path';
import { codeOf, type Source } from './source.ts';

const MAX_LINES = 400;
const MAX_MEDIAN_LINES = 200;
const MAX_COLUMNS = 120;

export function findLongFiles(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => lineCount(source) > MAX_LINES)
    .map((source) => `${source.path}: ${lineCount(source)} lines`);
}

/** The median, where half of the files are longer than a reader likes. */
export function findLongMedian(sources: readonly Source[]): string[] {
  const counts = sources.map(lineCount).sort((a, b) => a - b);
  const median = counts[Math.floor(counts.length / 2)] ?? 0;
  return median > MAX_MEDIAN_LINES ? [`the median file has ${median} lines`] : [];
}

/** Lines too long, except those that are one literal: a message stays in one piece, so that it can be searched for. */
export function findLongLines(sources: readonly Source[]): string[] {
  const isLiteral = (line: string): boolean => /^\s*(?:return )?(?:['"`]|\/[^/*])/.test(line);
  return findLines(sources, (line) => [...line].length > MAX_COLUMNS && !isLiteral(line));
}

/** Marks of work that is not done; spelled so that this file has none. */
export function findUnfinishedWork(sources: readonly Source[]): string[] {
  return findLines(sources, (line) => /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/.test(line));
}

/** Absolute paths that exist on somebody's machine alone. */
export function findMachinePaths(sources: readonly Source[]): string[] {
  const path = /(?<![\w.:/~-])\/(?:work|root|home\/[\w.-]+|Users\/[\w.-]+)(?:\/|['"\s]|$)/;
  return findLines(sources, (line) => path.test(line));
}

export function findDefaultExports(sources: readonly Source[]): string[] {
  return findCode(sources, /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/);
}

export function findEnums(sources: readonly Source[]): string[] {
  return findCode(sources, /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/m);
}

/** Tests that keep all others from running. */
export function findFocusedTests(sources: readonly Source[]): string[] {
  return findCode(sources, /\b(?:test|it|suite|describe)\.only\(|\bonly:\s*true\b/);
}

export function findFileNames(sources: readonly Source[]): string[] {
  return sources
    .map(({ path }) => path)
    .filter((path) => {
      const folders = path.split('/').slice(0, -1);
      const kebab = (name: string): boolean => /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
      return !kebab(basename(path).replace(/(?:\.test)?\.ts$/, '')) || !folders.every(kebab);
    });
}

function lineCount({ text }: Source): number {
  return text.split('\n').length - 1;
}

function findLines(sources: readonly Source[], offends: (line: string) => boolean): string[] {
  return sources.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (offends(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function findCode(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.filter((source) => pattern.test(codeOf(source))).map(({ path }) => path);
}
