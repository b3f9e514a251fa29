import { packagesOf, type Source, specifiersOf } from './source.ts';

/** The part of package.json that the rules look at. */
export interface PackageManifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Versions that are ranges. */
export function findLooseVersions(manifest: PackageManifest): string[] {
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    .map(([name, version]) => `${name}: ${version}`);
}

/**
 * Dependencies that nothing needs, and imports that no dependency provides. `programs` are the
 * names that a package's programs run under. Development needs a package for its tests, a script,
 * or its types.
 */
export function findDependencyErrors(
  manifest: PackageManifest,
  sources: readonly Source[],
  programs: (name: string) => readonly string[],
): string[] {
  const isProduct = ({ path }: Source): boolean => path.startsWith('services/');
  const product = new Set(sources.filter(isProduct).flatMap(packagesOf));
  // The generated module behind it imports this package.
  if (sources.some((source) => specifiersOf(source).includes('#proto'))) product.add('protobufjs');
  const tests = new Set(sources.filter((source) => !isProduct(source)).flatMap(packagesOf));
  const words = new Set(Object.values(manifest.scripts).flatMap((script) => script.split(/\s+/)));
  const runtime = Object.keys(manifest.dependencies);
  const development = Object.keys(manifest.devDependencies);
  const isNeeded = (name: string): boolean =>
    tests.has(name) || name.startsWith('@types/') || programs(name).some((word) => words.has(word));
  return [
    ...runtime.filter((name) => !product.has(name)).map((name) => `${name} is not imported`),
    ...development.filter((name) => !isNeeded(name)).map((name) => `${name} is not used`),
    ...[...product].filter((name) => !runtime.includes(name)).map((name) => `${name} is missing`),
    ...[...tests]
      .filter((name) => ![...runtime, ...development].includes(name))
      .map((name) => `${name} is missing for tests`),
  ];
}

/** Messages and services at the top of a .proto file that no code and no other file names. */
export function findUnusedProtos(protos: readonly Source[], sources: readonly Source[]): string[] {
  const users = sources.filter((source) => specifiersOf(source).includes('#proto'));
  return protos.flatMap((proto) => {
    const declared = [...proto.text.matchAll(/^(?:message|service|enum)\s+(\w+)/gm)];
    return declared
      .map(([, name]) => name!)
      .filter((name) => ![...users, ...protos].some(({ text }) => uses(text, name)))
      .map((name) => `${proto.path}: ${name}`);
  });
}

/** A name that is more than its own declaration. */
function uses(text: string, name: string): boolean {
  return new RegExp(`(?<!^(?:message|service|enum)\\s+)\\b${name}\\b`, 'm').test(
    text.replace(/\/\/[^\n]*/g, ''),
  );
}
