import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as layers from './layer-rules.ts';
import * as packages from './package-rules.ts';
import { codeOf, importsOf, type Source } from './source.ts';
import * as texts from './text-rules.ts';

suite('a rule finds', () => {
  const finds = (what: string, offenders: readonly string[], expected: readonly RegExp[]): void => {
    test(what, () => {
      assert.equal(offenders.length, expected.length, offenders.join('\n'));
      for (const [index, pattern] of expected.entries()) assert.match(offenders[index]!, pattern);
    });
  };
  const file = (path: string, ...lines: string[]): Source => ({
    path,
    text: lines.map((line) => `${line}\n`).join(''),
  });
  const code = (...lines: string[]): Source[] => [file('services/core/a/b.ts', ...lines)];

  const up = code(
    "import { x } from '../../rpc/x.ts';",
    "import '../../nowhere/x.ts';",
    "import type { y } from '../c/y.ts';",
  );
  finds('imports that go up', layers.findUpwardImports(up), [/b\.ts imports .*rpc/, /nowhere/]);
  finds(
    'imports between mains',
    layers.findUpwardImports([file('services/cli/a.ts', "import '../worker/main.ts';")]),
    [/worker/],
  );
  finds(
    'references that are missing or go up',
    layers.findReferenceErrors(
      [file('services/shard/a.ts', "export { k } from '../kernels/k.ts';")],
      [
        file(
          'services/shard/tsconfig.json',
          '{"references":[{"path":"../core"},{"path":"../rpc"}]}',
        ),
      ],
    ),
    [/does not list kernels/, /lists rpc/],
  );
  finds(
    'impurities, but not in comments, strings, members and types of others',
    layers.findImpurities([
      ...code("import { join } from 'node:path';", 'const a = Math.random();', 'async () => {};'),
      file(
        'services/shard/a.ts',
        ['const b = `$', '{Date.now()}`; // Date'].join(''),
        'x.process(); y = "Date";',
      ),
      file('services/cluster/a.ts', 'function* c() {}', "const r = /Date'/; new Promise(d);"),
      file('services/rpc/a.ts', 'await Date.now();'),
    ]),
    [/node:path/, /random/, /async/, /shard.*Date/, /function\*/, /Promise/],
  );
  const tree = [
    file('services/cli/main.ts', "import './used.ts';", "new URL('./thread.js', here);"),
    ...['used', 'thread', 'dead', 'tested'].map((name) => file(`services/cli/${name}.ts`)),
    file('test/a.test.ts', "const x = await import('../services/cli/tested.ts');"),
  ];
  finds('dead files', layers.findDeadFiles(tree, ['services/cli/main.ts']), [/dead/]);
  const long = code(...new Array<string>(401).fill(''));
  finds('long files', texts.findLongFiles(long), [/401 lines/]);
  finds('long files everywhere', texts.findLongMedian(long), [/401 lines/]);
  finds(
    'long lines',
    texts.findLongLines(code('x'.repeat(120), 'x'.repeat(121), `'${'x'.repeat(121)}',`)),
    [/b\.ts:2/],
  );
  finds(
    'default exports',
    texts.findDefaultExports([...code('export default 1;'), ...code('export { a as default };')]),
    [/b\.ts/, /b\.ts/],
  );
  finds('enums', texts.findEnums([...code('export const enum A {}'), ...code('// enum A')]), [/b/]);
  finds('unfinished work', texts.findUnfinishedWork(code(`// ${['TO', 'DO'].join('')}: it`)), [
    /:1/,
  ]);
  finds(
    'tests that keep others from running',
    texts.findFocusedTests([
      ...code("test.only('a');"),
      ...code("'test.only(a)'"),
      ...code('only: true'),
    ]),
    [/b/, /b/],
  );
  const names = ['a/B.ts', 'a_b/c.ts', 'a-b/c-d.test.ts', 'a/b--c.ts'].map((path) => file(path));
  finds('file names', texts.findFileNames(names), [/B/, /a_b/, /--/]);
  const paths = ['work', 'root', 'home/me'].map((folder) => `'/${folder}/x'`);
  finds(
    'paths of a machine',
    texts.findMachinePaths(code(...paths, "'/homes/x'", "'../work/x'", 'https://a/work/')),
    [/:1/, /:2/, /:3/],
  );
  const manifest = {
    scripts: { build: 'tool --fast' },
    dependencies: { used: '1.0.0', idle: '^1.0.0' },
    devDependencies: { builder: '2.0.0', 'fast-check': '1.2.3', lost: '1.x' },
  };
  finds('loose versions', packages.findLooseVersions(manifest), [/idle/, /lost/]);
  finds(
    'dependencies that are idle or missing',
    packages.findDependencyErrors(
      manifest,
      [
        ...code("import used from 'used/deep.js';", "import '@a/b';"),
        file('test/a.ts', "import { fc } from 'fast-check';", "import 'c';"),
      ],
      (name) => (name === 'builder' ? ['tool'] : []),
    ),
    [/idle is not/, /lost is not/, /@a\/b is missing/, /c is missing for tests/],
  );
  finds(
    'protobuf types that nothing names',
    packages.findUnusedProtos(
      [
        file(
          'proto/a.proto',
          'message Used {',
          '  Part part = 1;',
          '}',
          'message Part {}',
          'message Idle {} // Idle',
        ),
      ],
      code("import { sohu } from '#proto';", 'sohu.v1.Used;'),
    ),
    [/Idle/],
  );

  test('what a file imports in each form', () => {
    const [source] = code(
      "import type {\n  A,\n} from './a.ts';",
      "export { B } from '../b.ts';",
      "import './c.ts';",
      "const d = import('./d.ts');",
    );
    const expected = ['core/a/a.ts', 'core/b.ts', 'core/a/c.ts', 'core/a/d.ts'];
    assert.deepEqual(
      importsOf(source!),
      expected.map((path) => `services/${path}`),
    );
    assert.doesNotMatch(codeOf(source!), /\.ts/);
  });
});
