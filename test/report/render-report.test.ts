import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { renderReport } from '../../services/report/render-report.ts';
import { cellOf, type Report, spansOfParts, spansOfRange } from '../../services/report/report.ts';
import { openChromium } from '../support/chromium.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const HOSTILE = `</script></style><script>window.hacked=1</script><img src=x onerror="window.hacked=1">'"&`;

/** A report whose every text is `text`. */
function reportOf(text: string): Report {
  const table = {
    kind: 'table',
    caption: text,
    head: [text, text],
    textColumns: 1,
    rows: [[text, cellOf({ low: 1, high: 2.5 }, text)]],
  } as const;
  return {
    title: text,
    lead: [text],
    sections: [
      {
        title: text,
        blocks: [
          { kind: 'tiles', tiles: [{ label: text, figure: text }] },
          table,
          {
            kind: 'bars',
            caption: text,
            head: [text, text, text],
            legend: [text],
            mark: { value: 2, label: text },
            rows: [
              { label: text, spans: spansOfRange({ low: 1, high: 4 }), cells: [text, text] },
              { label: text, spans: spansOfParts([1, 0, 2]), cells: [text, text] },
            ],
          },
          {
            kind: 'lines',
            charts: [
              {
                caption: text,
                x: { label: text },
                y: { label: text, unit: text },
                xs: [0, 1, 2],
                series: [{ label: text, values: [3, null, 5] }],
              },
            ],
          },
          { kind: 'notes', lines: [text] },
          { kind: 'notes', lines: [text], isNumbered: true },
          { kind: 'file', text, path: ['..', text] },
        ],
      },
    ],
  };
}

async function openReport(t: TestContext, report: Report) {
  const browser = await openChromium(t);
  if (browser === undefined) return undefined;
  const path = join(makeTemporaryDirectory(t), 'report.html');
  writeFileSync(path, renderReport(report));
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`file://${path}`);
  return { page, complaints };
}

suite('renderReport', () => {
  test('equal reports give equal bytes', () => {
    assert.equal(renderReport(reportOf('a')), renderReport(reportOf('a')));
  });

  test('no text of a report is anything but text', async (t) => {
    const opened = await openReport(t, reportOf(HOSTILE));
    if (opened === undefined) return;
    const { page, complaints } = opened;
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.title(), HOSTILE);
    const shown = [
      'h1',
      'h2',
      'header p:not(.brand)',
      'figcaption',
      'dt',
      'dd',
      'tbody th',
      'li',
      'main > section > p',
    ];
    for (const selector of shown) {
      assert.ok((await page.locator(selector).first().textContent())!.includes(HOSTILE), selector);
    }
    const href = await page.locator('a').getAttribute('href');
    assert.equal(href, `./../${encodeURIComponent(HOSTILE)}`);
    assert.deepEqual(complaints, []);
  });

  test('a script that somebody puts into the page does not run', async (t) => {
    const browser = await openChromium(t);
    if (browser === undefined) return;
    const path = join(makeTemporaryDirectory(t), 'report.html');
    const text = renderReport(reportOf('a'));
    writeFileSync(path, text.replace('<main>', '<main><script>window.hacked = 1</script>'));
    const page = await browser.newPage();
    await page.goto(`file://${path}`);
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.equal(await page.locator('canvas').count(), 1);
  });

  test('bars lie where their numbers are', async (t) => {
    const opened = await openReport(t, reportOf('a'));
    if (opened === undefined) return;
    const spans = await opened.page.evaluate(
      `[...document.querySelectorAll('td.bar')].map((bar) =>
        [...bar.querySelectorAll('i')].map((span) => {
          const all = bar.firstElementChild.getBoundingClientRect();
          const own = span.getBoundingClientRect();
          return [span.className, (own.left - all.left) / all.width, own.width / all.width];
        }))`,
    );
    const expected = [
      [
        ['s0', 0, 0.25],
        ['shaded', 0.25, 0.75],
        ['mark', 0.5, 0],
      ],
      [
        ['s0', 0, 0.25],
        ['s2', 0.25, 0.5],
        ['mark', 0.5, 0],
      ],
    ];
    const near = JSON.stringify(spans, (_, value) =>
      typeof value === 'number' ? Math.round(value * 50) / 50 : value,
    );
    const wanted = JSON.stringify(expected, (_, value) =>
      typeof value === 'number' ? Math.round(value * 50) / 50 : value,
    );
    assert.equal(near, wanted);
  });

  test('the table of a plot has its numbers, and its gaps', async (t) => {
    const opened = await openReport(t, reportOf('a'));
    if (opened === undefined) return;
    const cells = await opened.page.locator('details tbody td').allTextContents();
    assert.deepEqual(cells, ['0', '3', '1', '–', '2', '5']);
  });
});
