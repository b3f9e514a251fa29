import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireOrSkip } from './support/requirements.ts';
import * as layers from './tidy/layer-rules.ts';
import * as packages from './tidy/package-rules.ts';
import { readSources, type Source } from './tidy/source.ts';
import * as texts from './tidy/text-rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['services', 'test', 'grafana'].flatMap((folder) =>
  readSources(ROOT, folder, '.ts'),
);
const SERVICES = SOURCES.filter(({ path }) => path.startsWith('services/'));
const CONFIGS = readSources(ROOT, 'services', 'tsconfig.json');
const PROTOS = readSources(ROOT, 'proto', '.proto');
const MANIFEST = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as packages.PackageManifest;

/** What is started by name, and not imported. */
const ENTRIES = [
  'services/worker/main.ts',
  'services/coordinator/main.ts',
  'services/gateway/main.ts',
  'services/console/main.ts',
  'services/grpc/main.ts',
  'services/cli/main.ts',
  'services/calibrate/main.ts',
  'services/client/index.ts',
  'services/client/testing/index.ts',
  'services/kernels/assembly/index.ts',
  'services/report/page/draw-plots.ts',
  'grafana/src/main.ts',
];

suite('the repository', () => {
  const holds = (rule: string, offenders: (t: TestContext) => readonly string[]): void => {
    test(rule, (t) => {
      const found = offenders(t);
      assert.equal(found.length, 0, `${rule}, but:\n  ${found.join('\n  ')}`);
    });
  };
  holds('imports only go down', () => layers.findUpwardImports(SOURCES));
  holds('references list what is imported', () => layers.findReferenceErrors(SOURCES, CONFIGS));
  holds('the tests’ project references every folder', () => unreferencedFolders());
  holds('pure folders are synchronous and alone', () => layers.findImpurities(SOURCES));
  holds('every file is used', () => layers.findDeadFiles(SOURCES, ENTRIES));
  holds('files have at most 400 lines', () => texts.findLongFiles(SOURCES));
  holds('half of the files have at most 200 lines', () => texts.findLongMedian(SERVICES));
  holds('lines of code and comments have at most 120 characters', () =>
    texts.findLongLines(SOURCES),
  );
  holds('nothing is exported as default', () => texts.findDefaultExports(SOURCES));
  holds('there are no enums', () => texts.findEnums(SOURCES));
  holds('work is finished', () => texts.findUnfinishedWork(SOURCES));
  holds('every test runs', () => texts.findFocusedTests(SOURCES));
  holds('files and folders are named in kebab-case', () => texts.findFileNames(SOURCES));
  holds('tracked files name no machine’s paths', (t) => texts.findMachinePaths(trackedFiles(t)));
  holds('versions are exact', () => packages.findLooseVersions(MANIFEST));
  holds('dependencies are what is imported', () =>
    packages.findDependencyErrors(MANIFEST, SOURCES, programsOf),
  );
  holds('every protobuf type is used', () => packages.findUnusedProtos(PROTOS, SERVICES));
});

function unreferencedFolders(): string[] {
  const text = readFileSync(join(ROOT, 'test/tsconfig.json'), 'utf8');
  return CONFIGS.map(({ path }) => path.replace('/tsconfig.json', '')).filter(
    (folder) => !text.includes(`"../${folder}"`),
  );
}

/** The names of the programs that an installed package brings. */
function programsOf(name: string): string[] {
  const { bin = {} } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
  ) as { bin?: string | Record<string, string> };
  return typeof bin === 'string' ? [name] : Object.keys(bin);
}

/** The text files that git tracks, or would. */
function trackedFiles(t: TestContext): Source[] {
  if (!requireOrSkip(t, existsSync(join(ROOT, '.git')), 'a git checkout')) return [];
  const options = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others'];
  const list = execFileSync('git', [...options, '--exclude-standard'], { cwd: ROOT });
  return `${list}`
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}
