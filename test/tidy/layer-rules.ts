import { codeOf, importsOf, layerOf, type Source, specifiersOf } from './source.ts';

/** From the ground up: a folder imports only from groups before its own. */
const LAYERS: readonly (readonly string[])[] = [
  ['core', 'report'],
  ['bus'],
  ['kernels'],
  ['shard'],
  ['checkpoint'],
  ['evidence'],
  ['cluster'],
  ['wire'],
  ['sim'],
  ['rpc'],
  ['runtime'],
  ['client', 'grpc', 'console'],
  ['gateway'],
  ['worker', 'coordinator', 'calibrate', 'cli'],
];
const PURE_LAYERS = ['core', 'shard', 'cluster', 'sim'];

/** Imports from a folder of services/ to one that is not below it. */
export function findUpwardImports(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const from = layerOf(source.path);
    if (from === undefined) return [];
    return importsOf(source)
      .filter((path) => layerOf(path) !== from && !isBelow(layerOf(path), from))
      .map((path) => `${source.path} imports ${path}`);
  });
}

/** Differences between the references of services/<folder>/tsconfig.json and what the folder imports. */
export function findReferenceErrors(
  sources: readonly Source[],
  configs: readonly Source[],
): string[] {
  return configs.flatMap((config) => {
    const from = layerOf(config.path)!;
    const { references } = JSON.parse(config.text) as { references: { path: string }[] };
    const listed = references.map(({ path }) => path.replace('../', ''));
    const imported = new Set(
      sources
        .filter(({ path }) => layerOf(path) === from)
        .flatMap(importsOf)
        .map(layerOf),
    );
    imported.delete(from);
    return [
      ...[...imported].filter((to) => !listed.includes(to!)).map((to) => `does not list ${to}`),
      ...listed.filter((to) => !isBelow(to, from)).map((to) => `lists ${to}, which is not below`),
    ].map((problem) => `${config.path} ${problem}`);
  });
}

/** What a synchronous folder without surroundings must not mention. */
export function findImpurities(sources: readonly Source[]): string[] {
  const words =
    /(?<![\w.$#])(?:async|await|yield|Promise|Date|performance|process|console|globalThis|setTimeout|setInterval|queueMicrotask)(?!\w|\s*:)|\bfunction\s*\*|\bMath\.random\b/g;
  return sources
    .filter(({ path }) => PURE_LAYERS.includes(layerOf(path) ?? ''))
    .flatMap((source) => {
      const modules = specifiersOf(source).filter((specifier) => specifier.startsWith('node:'));
      const found = [...codeOf(source).matchAll(words)].map(([word]) => word);
      return [...modules, ...found].map((word) => `${source.path}: ${word}`);
    });
}

/** Files of services/ that no entry and no test leads to. */
export function findDeadFiles(sources: readonly Source[], entries: readonly string[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set(entries);
  for (const path of byPath.keys()) if (path.startsWith('test/')) reached.add(path);
  for (const path of reached) {
    const source = byPath.get(path);
    if (source !== undefined) for (const imported of importsOf(source)) reached.add(imported);
  }
  return [...byPath.keys()].filter((path) => !reached.has(path));
}

function isBelow(to: string | undefined, from: string): boolean {
  const rank = (layer: string | undefined): number =>
    LAYERS.findIndex((group) => group.includes(layer ?? ''));
  return rank(to) >= 0 && rank(to) < rank(from);
}
