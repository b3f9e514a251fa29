import { html, jsonMarkup, Markup, when } from './markup.ts';
import { readPageAssets } from './page-assets.ts';
import { renderBars } from './render-bars.ts';
import { renderLines } from './render-lines.ts';
import { renderCell, renderTable } from './render-table.ts';
import type {
  FileLink,
  LineChart,
  Notes,
  Report,
  ReportBlock,
  ReportSection,
  Tiles,
} from './report.ts';

/**
 * A report as one HTML file that needs nothing beside it and asks nobody for anything. Equal reports
 * give equal bytes.
 */
export function renderReport(report: Report): string {
  const { style, scripts, contentSecurityPolicy } = readPageAssets();
  // Plots are numbered through the document; the script finds their data by that number.
  const charts: LineChart[] = [];
  const sections = report.sections.map((section) => renderSection(section, charts));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${report.title}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="brand">sohu</p>
<h1>${report.title}</h1>
${report.lead.map((line) => html`<p>${line}</p>`)}
</header>
<main>
${sections}
</main>
${when(charts.length > 0, () => drawing(charts, scripts))}
</body>
</html>
`;
  return page.text;
}

/** The data of the plots, and what draws them. */
function drawing(charts: readonly LineChart[], scripts: readonly Markup[]): Markup {
  const [plot, draw] = scripts;
  return html`<script type="application/json" id="plots">${jsonMarkup(charts)}</script>
<script>${plot!}</script>
<script type="module">${draw!}</script>`;
}

function renderSection({ title, blocks }: ReportSection, charts: LineChart[]): Markup {
  return html`<section>
<h2>${title}</h2>
${blocks.map((block) => renderBlock(block, charts))}
</section>`;
}

function renderBlock(block: ReportBlock, charts: LineChart[]): Markup {
  switch (block.kind) {
    case 'tiles':
      return renderTiles(block);
    case 'table':
      return renderTable(block);
    case 'bars':
      return renderBars(block);
    case 'lines':
      return renderLines(block, charts);
    case 'notes':
      return renderNotes(block);
    case 'file':
      return renderFile(block);
  }
}

function renderTiles({ tiles }: Tiles): Markup {
  const items = tiles.map(
    ({ label, figure }) => html`<div><dt>${label}</dt><dd>${renderCell(figure)}</dd></div>`,
  );
  return html`<dl class="tiles">
${items}
</dl>`;
}

function renderNotes({ lines, isNumbered }: Notes): Markup {
  if (!isNumbered) return new Markup(lines.map((line) => html`<p>${line}</p>`.text).join('\n'));
  return html`<ol class="sources">
${lines.map((line) => html`<li>${line}</li>`)}
</ol>`;
}

/** A path from the page, whatever its parts are made of: it can be no other kind of address. */
function renderFile({ text, path }: FileLink): Markup {
  const address = `./${path.map(encodeURIComponent).join('/')}`;
  return html`<p><a href="${address}">${path.at(-1)!}</a>: ${text}</p>`;
}
