import type { Audit } from '../../evidence/audit-claim.ts';
import { formatRange } from '../models/quantity.ts';
import { SourceList } from '../models/source-list.ts';
import { renderBars } from '../terminal/bar-chart.ts';
import { printedTable } from '../terminal/table.ts';
import { baselineFindings, describeClaim } from './audit-baselines.ts';
import {
  baselinesTable,
  conclusions,
  HEADINGS,
  sectionTable,
  sensitivityLabel,
  sourcesOfSensitivity,
  verdictTable,
} from './audit-tables.ts';

/** An audit for a terminal, or as Markdown. */
export function textOfAudit(audit: Audit, markdown: boolean): string {
  const heading = (text: string): string => (markdown ? `## ${text}` : text);
  const sources = new SourceList();
  const blocks = [
    (markdown ? '# ' : '') + describeClaim(audit.claim),
    heading(HEADINGS.verdicts),
    printedTable(verdictTable(audit.verdicts, sources), markdown),
    ...conclusions(audit.verdicts),
    ...audit.sections.flatMap((section) => [
      heading(section.title),
      printedTable(sectionTable(section, sources), markdown),
    ]),
    heading(HEADINGS.sensitivity),
    fenced(sensitivityChart(audit), markdown),
    heading(HEADINGS.baselines),
    ...baselineFindings(audit),
    ...(audit.baselines.length === 0
      ? []
      : [printedTable(baselinesTable(audit.baselines, sources), markdown)]),
    heading('Sources'),
    sources.lines().join('\n'),
  ];
  return blocks.join(markdown ? '\n\n' : '\n');
}

/** One bar an undisclosed figure; the line is the claim. */
function sensitivityChart({ claim, sensitivity }: Audit): string {
  const bars = sensitivity.map((line) => ({
    label: sensitivityLabel(line),
    value: line.tokensPerSecond,
    text: formatRange(line.tokensPerSecond),
  }));
  const legend = `Each varied alone, the others in the middle; shaded: what it decides; ┃: the claim`;
  const sources = sourcesOfSensitivity(sensitivity);
  return [legend, renderBars(bars, claim.tokensPerSecond), ...sources].join('\n');
}

function fenced(text: string, markdown: boolean): string {
  return markdown ? `\`\`\`text\n${text}\n\`\`\`` : text;
}
