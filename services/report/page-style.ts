/** Of the page: light and dark as the reader's system is, black on white in print. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --text: #1b1f24; --soft: #5b6470; --line: #e2e4e7; --grid: #eceef0;
  --c0: #2563c9; --c1: #d9680f; --c2: #16896a; --c3: #9a4fb8; --c4: #b8860b; --c5: #6b7785;
  --mark: #c21f3a;
}
@media (prefers-color-scheme: dark) {
  :root:not([data-print]) {
    --page: #14171b; --card: #1c2026; --text: #e6e9ed; --soft: #9aa4b0; --line: #31373f; --grid: #2a3037;
    --c0: #6ea8fe; --c1: #f2994a; --c2: #4cc29a; --c3: #c792ea; --c4: #e0b84c; --c5: #98a3b0;
    --mark: #ff6b81;
  }
}
:root[data-print] { color-scheme: light; }
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
header { border-bottom: 1px solid var(--line); margin-bottom: 2rem; padding-bottom: 1rem; }
.brand { margin: 0; color: var(--soft); font-size: .8rem; font-weight: 600; letter-spacing: .12em;
  text-transform: uppercase; }
h1 { margin: .15rem 0 .75rem; font-size: 1.7rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 2.75rem 0 .75rem; font-size: 1.15rem; letter-spacing: -.005em; }
p { margin: .35rem 0; max-width: 62rem; }
header p:not(.brand) { color: var(--soft); }
a { color: var(--c0); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem;
  margin: .75rem 0 1.25rem; }
.tiles div, figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tiles div { padding: .7rem .9rem .75rem; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: .1rem 0 0; font-size: 1.3rem; font-weight: 600; letter-spacing: -.01em; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { padding-bottom: .45rem; color: var(--soft); text-align: left; }
th, td { padding: .38rem .75rem .38rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: .8rem; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 5.5rem; }
.number { text-align: right; }
td.number { white-space: nowrap; }
table.pairs { width: auto; min-width: min(100%, 34rem); }
.bars th[scope=row] { white-space: nowrap; }
.bars td.bar { width: 50%; min-width: 12rem; padding-top: .5rem; }
.bar div { position: relative; height: 1rem; border-radius: 3px; background: var(--grid); }
.bar i { position: absolute; top: 0; bottom: 0; min-width: 2px; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
.bar i.mark { top: -.3rem; bottom: -.3rem; width: 2px; margin-left: -1px; background: var(--mark); }
.s0 { background: var(--c0); } .s1 { background: var(--c1); } .s2 { background: var(--c2); }
.s3 { background: var(--c3); } .s4 { background: var(--c4); } .s5 { background: var(--c5); }
.shaded { background: repeating-linear-gradient(135deg, var(--c0) 0 2px, transparent 2px 6px); }
.legend { display: block; margin-top: .15rem; color: var(--text); }
.legend span { display: inline-block; margin-right: 1.1rem; white-space: nowrap; }
.legend i { display: inline-block; width: .75rem; height: .75rem; margin-right: .4rem; border-radius: 2px;
  vertical-align: -.06rem;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.legend i.mark { width: 2px; height: .9rem; background: var(--mark); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem;
  margin: 1rem 0; }
figure { margin: 0; padding: .85rem 1rem .7rem; min-width: 0; }
figcaption { font-size: .9rem; font-weight: 600; margin-bottom: .35rem; }
.plot { min-height: 15rem; }
details { margin-top: .35rem; font-size: .85rem; }
summary { color: var(--soft); cursor: pointer; }
details .scroll { max-height: 18rem; overflow: auto; margin: .5rem 0 0; }
.sources { padding-left: 1.8rem; color: var(--soft); font-size: .85rem; }
.sources li { margin: .15rem 0; overflow-wrap: anywhere; }
.uplot, .uplot .u-legend { font-family: inherit; }
.uplot .u-legend { font-size: .8rem; color: var(--text); text-align: left; padding-left: .5rem; }
.uplot .u-legend, .uplot .u-legend th, .uplot .u-legend td { width: auto; border: 0; padding-top: 2px;
  padding-bottom: 2px; }
.uplot .u-legend th { font-weight: 400; }
.u-legend .u-marker { border-radius: 2px; }
.u-hz .u-cursor-x, .u-hz .u-cursor-y { border-color: var(--soft); }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  section { break-inside: auto; }
  h2 { break-after: avoid; }
  figure, .tiles div, tr { break-inside: avoid; }
  details { display: none; }
  .scroll { overflow: visible; }
}
`;
