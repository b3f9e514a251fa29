import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { configSchema } from '../../services/runtime/options/config-schema.ts';
import { describeSettings } from '../../services/runtime/options/describe-settings.ts';
import {
  makeProgram,
  PROGRAM_NAMES,
  type ProgramName,
} from '../../services/runtime/options/programs.ts';
import { applySettings } from '../../services/runtime/options/settings.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

type Environment = Readonly<Record<string, string>>;

function writeConfig(t: TestContext, settings: unknown): string {
  const file = join(makeTemporaryDirectory(t), 'sohu.json');
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

/** What a program would run with. */
function resolve(
  program: ProgramName,
  given: { readonly flags?: readonly string[]; readonly env?: Environment },
): Record<string, unknown> {
  const command = makeProgram(program).exitOverride();
  command.parse(given.flags ?? [], { from: 'user' });
  applySettings(command, [program], given.env ?? {});
  return command.opts();
}

suite('the options of a process', () => {
  test('come from flags, then the environment, then its section, then the file, then defaults', (t) => {
    const file = writeConfig(t, {
      ...{ cluster: 'file', group: 'file', 'max-num-seqs': 5, tp: 4, 'block-size': 8 },
      coordinator: { group: 'section', 'max-num-seqs': 6, tp: 2 },
    });
    const flags = ['--config', file, '--tp', '1'];
    const env = { SOHU_TP: '2', SOHU_MAX_NUM_SEQS: '7' };
    const options = resolve('coordinator', { flags, env });
    const { tp, maxNumSeqs, group, cluster, blockSize, stepTimeout } = options;
    assert.deepEqual(
      { tp, maxNumSeqs, group, cluster, blockSize, stepTimeout },
      {
        ...{ tp: 1, maxNumSeqs: 7, group: 'section', cluster: 'file', blockSize: 8 },
        stepTimeout: 30,
      },
    );
    assert.equal(resolve('worker', { flags: ['--config', file] }).group, 'file');
    assert.equal(resolve('gateway', { env: { SOHU_CONFIG: file } }).cluster, 'file');
  });

  test('that are switches can be turned off as well as on', (t) => {
    const off = { SOHU_ALLOW_ANONYMOUS: 'false' };
    assert.equal(resolve('gateway', { env: off }).allowAnonymous, false);
    assert.equal(resolve('gateway', { env: { SOHU_ALLOW_ANONYMOUS: '1' } }).allowAnonymous, true);
    const caching = { SOHU_ENABLE_PREFIX_CACHING: 'false' };
    assert.equal(resolve('coordinator', { env: caching }).enablePrefixCaching, false);
    const file = writeConfig(t, { 'enable-prefix-caching': false });
    const flags = ['--config', file];
    assert.equal(resolve('coordinator', { flags }).enablePrefixCaching, false);
  });

  test('that may be repeated are a list in a file, of which only digests are kept', (t) => {
    const flags = ['--config', writeConfig(t, { gateway: { 'api-key': ['a', 'b'] } })];
    const { apiKey } = resolve('gateway', { flags }) as { apiKey: string[] };
    assert.equal(apiKey.length, 2);
    for (const key of apiKey) assert.match(key, /^sha256:[0-9a-f]{64}$/);
  });

  const refusals: readonly (readonly [string, unknown, RegExp])[] = [
    ['an unknown option', { modle: 'x' }, /"modle" is no option; did you mean "model"\?/],
    [
      'an option of another program',
      { worker: { tp: 8 } },
      /worker: "tp" is no option; did you mean "/,
    ],
    ['an unknown program', { workers: {} }, /did you mean "worker"/],
    ['a rank, which no two share', { rank: 1 }, /"rank" is no option/],
    ['a value that no flag takes', { tp: 3 }, /"tp" cannot be 3\. It must be one of 1, 2, 4, 8/],
    ['a text for a number', { tp: '8' }, /"tp" cannot be "8": the type is another/],
    ['no section', { coordinator: 3 }, /coordinator must be a JSON object/],
    ['a list', [], /must hold a JSON object/],
  ];
  for (const [what, settings, sentence] of refusals) {
    test(`are refused in one sentence: ${what}`, (t) => {
      const flags = ['--config', writeConfig(t, settings)];
      assert.throws(() => resolve('coordinator', { flags }), sentence);
    });
  }

  test('are refused where a variable says what no flag may', () => {
    const wrong = { env: { SOHU_TP: '3' } };
    assert.throws(() => resolve('coordinator', wrong), /SOHU_TP cannot be "3"\. It must be one of/);
    const maybe = { env: { SOHU_ALLOW_ANONYMOUS: 'maybe' } };
    assert.throws(() => resolve('gateway', maybe), /SOHU_ALLOW_ANONYMOUS cannot be "maybe"/);
  });

  test('are described with where they come from', (t) => {
    const file = writeConfig(t, { tp: 4 });
    const settings = describeSettings({ SOHU_MAX_NUM_SEQS: '9' }, file);
    const find = (name: string) => settings.find((setting) => setting.name === name)!;
    assert.deepEqual([find('tp').value, find('tp').source], [4, 'file']);
    assert.deepEqual([find('max-num-seqs').value, find('max-num-seqs').source], [9, 'env']);
    assert.equal(find('block-size').source, 'default');
    assert.deepEqual([...new Set(settings.map(({ program }) => program))], [...PROGRAM_NAMES]);
  });
});

suite('the schema of a file', () => {
  const schema = configSchema() as {
    readonly properties: Readonly<Record<string, { readonly properties?: object }>>;
  };
  const validate = new Ajv2020({ strict: false }).compile(schema);
  const values = fc.oneof(
    fc.constantFrom<unknown>('x', '8', '', 'inf', 'fp8', 'fcfs', true, false, null, 0, 1, 2, 3, 4),
    fc.constantFrom<unknown>(8, 16, -1, 0.5, 65_535, 65_536, 2 ** 32, [], ['a'], [1], {}),
  );
  const sections = PROGRAM_NAMES.flatMap((program) =>
    Object.keys(schema.properties[program]!.properties!).map((name) => ({ program, name })),
  );

  test('accepts and refuses what the programs do, for every option and value', (t) => {
    const directory = makeTemporaryDirectory(t);
    const file = join(directory, 'sohu.json');
    const isAccepted = (program: ProgramName, settings: unknown): boolean => {
      writeFileSync(file, JSON.stringify(settings));
      try {
        resolve(program, { flags: ['--config', file] });
        return true;
      } catch {
        return false;
      }
    };
    const property = fc.property(fc.constantFrom(...sections), values, (option, value) => {
      const settings = { [option.program]: { [option.name]: value } };
      const where = `${option.program} ${option.name} ${JSON.stringify(value)}`;
      assert.equal(isAccepted(option.program, settings), validate(settings), where);
      const known = { [option.name]: value };
      if (validate(settings)) assert.ok(validate(known), where);
    });
    fc.assert(property, { numRuns: 2000 });
    assert.equal(validate({ modle: 1 }), false);
    assert.equal(validate({ worker: { tp: 8 } }), false);
  });
});
