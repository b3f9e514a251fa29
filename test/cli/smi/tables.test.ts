import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { renderTables } from '../../../services/cli/smi/smi.ts';
import { widthOf } from '../../../services/cli/terminal/text-width.ts';
import { makeChipStatus, makeClusterSnapshot } from '../../support/cluster-snapshot.ts';

const GOLDEN = `2026-11-26 06:47:08 UTC
+-----------------------------------------------------------------------------+
| SOHU-SMI 0.1.0    Cluster: sohu                Epoch: 4      State: serving |
| Model: llama-3-70b              fp8, KV bf16   Weights: phantom   3 min 5 s |
| Step and Busy: host. MFU, HBM, Link, Pwr: Sohu as claimed, by construction. |
|-------------------------------+----------------------+----------------------+
| Chip  Name              State |         Memory-Usage |    MFU    HBM   Link |
| Temp  Pwr:Usage/Cap      Step |   KV-Usage     Epoch |  Busy        Dropped |
|===============================+======================+======================|
|    0  Etched Sohu       ready | 87738MiB / 137329MiB |    42%   7.1%  0.03% |
| N/A    735W / 1000W    3.02ms |        25%         4 |   98%              3 |
+-------------------------------+----------------------+----------------------+
|    1  Etched Sohu     joining | 87738MiB / 137329MiB |    42%   7.1%  0.03% |
| N/A    735W / 1000W       N/A |        25%         4 |   98%              3 |
+-------------------------------+----------------------+----------------------+

+-----------------------------------------------------------------------------+
| Processes:                                                                  |
| Chip      PID  Role         Weights        KV    Activ.             Metrics |
|=============================================================================|
|    0    24851  worker TP0  67711MiB  11444MiB   8583MiB     127.0.0.1:38697 |
|    1    24852  worker TP1  67711MiB  11444MiB   8583MiB     127.0.0.1:38698 |
+-----------------------------------------------------------------------------+
`;

suite('the tables of sohu smi', () => {
  test('are these of a fixed snapshot', () => {
    assert.equal(`${renderTables(makeClusterSnapshot(), '0.1.0').join('\n')}\n`, GOLDEN);
  });

  test('say so where there is no chip yet', () => {
    const text = renderTables(makeClusterSnapshot({ chips: [] }), '0.1.0').join('\n');
    assert.match(text, /^\| {2}No chip has joined yet +\|$/m);
    assert.match(text, /^\| {2}No running processes found +\|$/m);
  });

  test('are 79 columns wide whatever the names and figures', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constant('漢字'.repeat(30)),
    );
    const amount = fc.oneof(fc.nat(), fc.double({ min: 0, max: 2 ** 53, noNaN: true }));
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const figures = fc.record({
      ...{ name, metricsAddress: name, pid: fc.nat(), seat: fc.nat(9_999), rank: fc.nat(9_999) },
      ...{ busy: share, mfu: share, hbmBandwidth: share, linkBandwidth: share },
      ...{ powerWatts: amount, hbmWeightBytes: amount, hbmKvBytes: amount, hbmTotalBytes: amount },
      ...{ stepComputeMs: amount, droppedFrames: amount },
    });
    const snapshot = fc.record({
      ...{ cluster: name, modelName: name, precision: name, epoch: fc.nat(), uptimeMs: amount },
      chips: fc.array(
        figures.map((fields) => makeChipStatus(0, fields)),
        { maxLength: 9 },
      ),
    });
    fc.assert(
      fc.property(snapshot, (fields) => {
        const [moment, ...lines] = renderTables(makeClusterSnapshot(fields), '10.20.30');
        assert.equal(moment, '2026-11-26 06:47:08 UTC');
        for (const line of lines) {
          if (line !== '') assert.equal(widthOf(line), 79, JSON.stringify(line));
          assert.doesNotMatch(line, /\p{Cc}/u);
        }
      }),
    );
  });

  test('cut long names with dots', () => {
    const chips = [makeChipStatus(0, { name: 'Etched Sohu of a later generation' })];
    const cluster = 'a-cluster-with-a-very-long-name';
    const text = renderTables(makeClusterSnapshot({ chips, cluster }), '0.1.0').join('\n');
    assert.match(text, / Etched Sohu \.\.\. +ready \|/);
    assert.match(text, /Cluster: a-cluster-with-a\.\.\. Epoch/);
  });
});
