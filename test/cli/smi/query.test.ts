import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { csvHeader, csvLines, parseFormat } from '../../../services/cli/smi/query-csv.ts';
import { parseQuery, QUERY_FIELDS, queryHelp } from '../../../services/cli/smi/query-fields.ts';
import { selectChips } from '../../../services/cli/smi/select-chips.ts';
import { snapshotObject } from '../../../services/cli/smi/snapshot-object.ts';
import { makeChipStatus, makeClusterSnapshot } from '../../support/cluster-snapshot.ts';

const ENGINE = makeClusterSnapshot();

function ask(query: string, format = 'csv'): string[] {
  const fields = parseQuery(query);
  const shape = parseFormat(format);
  return [...(shape.hasHeader ? [csvHeader(fields)] : []), ...csvLines(ENGINE, fields, shape)];
}

suite('sohu smi --query-chip', () => {
  test('answers as nvidia-smi does', () => {
    assert.deepEqual(ask('index,name, utilization.gpu,memory.used,power.draw,temperature.gpu'), [
      'index, name, utilization.gpu [%], memory.used [MiB], power.draw [W], temperature.gpu',
      '0, Etched Sohu, 98 %, 87738 MiB, 734.60 W, [N/A]',
      '1, Etched Sohu, 98 %, 87738 MiB, 734.60 W, [N/A]',
    ]);
    assert.deepEqual(ask('timestamp,memory.free', 'csv,noheader'), [
      '2026/11/26 06:47:08.285, 49591 MiB',
      '2026/11/26 06:47:08.285, 49591 MiB',
    ]);
    assert.deepEqual(ask('utilization.mfu,utilization.memory,utilization.link', 'csv,nounits'), [
      'utilization.mfu [%], utilization.memory [%], utilization.link [%]',
      ...['42.1, 7.12, 0.031', '42.1, 7.12, 0.031'],
    ]);
  });

  test('has every field in its help, and a value for each but the temperature', () => {
    const help = queryHelp().split('\n');
    for (const field of QUERY_FIELDS) {
      assert.ok(
        help.some((line) => line.startsWith(field.name)),
        field.name,
      );
      const [line] = ask(field.name, 'csv,noheader');
      assert.equal(line === '[N/A]', field.name === 'temperature.chip', `${field.name}: ${line}`);
    }
    assert.equal(new Set(QUERY_FIELDS.map(({ name }) => name)).size, QUERY_FIELDS.length);
  });

  test('adds up: what is used is weights, KV and activations, and the rest is free', () => {
    const figures =
      'memory.weights,memory.kv,memory.activations,memory.used,memory.free,memory.total';
    const [line] = ask(figures, 'csv,noheader,nounits');
    const [weights, kv, activations, used, free, total] = line!.split(', ').map(Number);
    assert.ok(Math.abs(weights! + kv! + activations! - used!) <= 2);
    assert.ok(Math.abs(used! + free! - total!) <= 1);
  });

  test('refuses fields and formats that there are not', () => {
    assert.throws(
      () => parseQuery('index,memory.usd'),
      /no field "memory.usd"; the nearest is memory\.used/,
    );
    for (const format of ['json', 'noheader', 'csv,units', '']) {
      assert.throws(() => parseFormat(format), /format must be csv/, format);
    }
  });
});

suite('the chips that sohu smi shows', () => {
  const engines = [ENGINE, makeClusterSnapshot({ engine: '1', chips: [makeChipStatus(1)] })];
  const shown = (ids: readonly string[] | undefined) =>
    selectChips(engines, ids).map(({ engine, chips }) => [engine, chips.map(({ seat }) => seat)]);

  test('are those named by index or UUID, of every engine', () => {
    assert.deepEqual(shown(undefined), [
      ['0', [0, 1]],
      ['1', [1]],
    ]);
    assert.deepEqual(shown(['1']), [
      ['0', [1]],
      ['1', [1]],
    ]);
    assert.deepEqual(shown([ENGINE.chips[0]!.uuid]), [['0', [0]]]);
  });

  test('must be there', () => {
    assert.throws(() => shown(['0', '7']), /there is 0, 1, not "7"/);
  });

  test('are an object as programs read it, with names in snake case', () => {
    const keys: string[] = [];
    JSON.stringify(snapshotObject(ENGINE), (key, value) => {
      keys.push(key);
      return value;
    });
    for (const key of keys) assert.match(key, /^[a-z0-9_]*$/);
  });
});
