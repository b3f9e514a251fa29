import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openChromium } from '../support/chromium.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { type BoardPanel, boardPanels } from './boards.ts';
import { type DataPanel, panelHtml } from './panel-drawing.ts';
import type { Line } from './prometheus-server.ts';

/** What a browser drew of one panel. */
export interface DrawnPanel {
  readonly name: string;
  /** Lines that have a length, and large values. */
  readonly marks: number;
  readonly text: string;
}

const STYLE = `
  body { background: #111217; color: #ccccdc; font: 12px sans-serif; margin: 8px; width: 1400px }
  section { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 34px; gap: 6px }
  h1 { font-size: 18px } h2 { font-size: 14px; grid-column: 1 / 25; margin: 8px 0 0 }
  article { background: #181b1f; border: 1px solid #2c3235; border-radius: 3px; padding: 4px 6px; overflow: hidden;
    display: flex; flex-direction: column }
  h3 { font-size: 12px; margin: 0 } svg { flex: 1; min-height: 0; width: 100% }
  .value { font-size: 26px; color: #73bf69; margin: auto }
  footer { font-size: 10px; line-height: 13px; max-height: 40px }
  path { fill: none; stroke-width: 1.4; vector-effect: non-scaling-stroke }
`;

/**
 * Draws every panel with what its queries give, as Grafana would lay them out; undefined after
 * skipping the test where there is no Chromium. SOHU_TEST_SCREENSHOTS names a folder that keeps the
 * picture.
 */
export async function drawBoards(
  t: TestContext,
  queryRange: (expression: string) => Promise<readonly Line[]>,
): Promise<readonly DrawnPanel[] | undefined> {
  const browser = await openChromium(t);
  if (browser === undefined) return undefined;
  const panels = await Promise.all(boardPanels().map((panel) => withData(panel, queryRange)));
  const boards = [...new Set(panels.map(({ board }) => board))];
  const sections = boards.map((board) => {
    const own = panels.filter((panel) => panel.board === board);
    return `<h1>${board}</h1><section>${own.map(panelHtml).join('')}</section>`;
  });
  const directory = process.env.SOHU_TEST_SCREENSHOTS ?? makeTemporaryDirectory(t);
  const page = await browser.newPage({ viewport: { width: 1420, height: 900 } });
  await page.setContent(`<style>${STYLE}</style>${sections.join('')}`);
  await page.screenshot({ path: join(directory, 'boards.png'), fullPage: true });
  return await page.evaluate(READ_PANELS);
}

async function withData(
  panel: BoardPanel,
  queryRange: (expression: string) => Promise<readonly Line[]>,
): Promise<DataPanel> {
  const series = await Promise.all(
    panel.queries.map(async ({ expression, legend }) => ({
      legend,
      lines: await queryRange(expression),
    })),
  );
  return { ...panel, series };
}

/** Runs in the browser, which alone knows what is visible. */
const READ_PANELS = `[...document.querySelectorAll('article')].map((panel) => ({
  name: panel.dataset.name,
  marks: [...panel.querySelectorAll('path')].filter((path) => path.getTotalLength() > 1).length
    + [...panel.querySelectorAll('.value')].filter((value) => value.offsetWidth > 0 && value.textContent !== '').length,
  text: panel.innerText,
}))`;
