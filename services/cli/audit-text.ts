import type { AuditSection } from '../core/claim/audit-line.ts';
import type { Sensitivity } from '../core/claim/sensitivity.ts';
import type { Verdict } from '../core/claim/verdicts.ts';
import type { Audit } from '../evidence/audit-claim.ts';
import {
  BASELINE_HEAD,
  baselineCells,
  baselineFindings,
  describeClaim,
} from './audit-baselines.ts';
import { formatAuditValue } from './audit-value.ts';
import { renderBars } from './bar-chart.ts';
import { formatNumber, formatRange } from './quantity.ts';
import { SourceList } from './source-list.ts';
import { makeTableRenderer, type TableRenderer } from './table.ts';

const VERDICT_HEAD = [
  'Resource of a chip',
  'Verdict',
  'The claim takes',
  'Best known',
  'Of it',
  'Sources',
];
const LINE_HEAD = ['Figure', 'How', 'Value', 'Sources'];

/** An audit for a terminal, or as Markdown. */
export function textOfAudit(audit: Audit, markdown: boolean): string {
  const table = makeTableRenderer(markdown);
  const heading = (text: string): string => (markdown ? `## ${text}` : text);
  const sources = new SourceList();
  const blocks = [
    (markdown ? '# ' : '') + describeClaim(audit.claim),
    heading('What would have to be true, against the best known chips with stacked memory'),
    verdictTable(audit.verdicts, sources, table),
    ...conclusions(audit.verdicts),
    ...audit.sections.flatMap((section) => [
      heading(section.title),
      sectionTable(section, sources, table),
    ]),
    heading('What nobody disclosed: processed tokens/s with ideal software'),
    fenced(sensitivityChart(audit), markdown),
    heading('Every published row of this workload'),
    ...baselineFindings(audit),
    ...(audit.baselines.length === 0
      ? []
      : [
          table(
            BASELINE_HEAD,
            audit.baselines.map((baseline) => baselineCells(baseline, sources)),
            2,
          ),
        ]),
    heading('Sources'),
    sources.lines().join('\n'),
  ];
  return blocks.join(markdown ? '\n\n' : '\n');
}

function verdictTable(
  verdicts: readonly Verdict[],
  sources: SourceList,
  table: TableRenderer,
): string {
  const rows = verdicts.map((verdict) => [
    verdict.resource,
    verdict.verdict,
    formatAuditValue(verdict.need, verdict.unit),
    `${formatAuditValue(verdict.best, verdict.unit)}, ${verdict.bestChip}`,
    formatRange(verdict.factor, (factor) => `${formatNumber(factor)} ×`),
    sources.refer(verdict.sources),
  ]);
  return table(VERDICT_HEAD, rows, 2);
}

/** The resources by verdict. */
function conclusions(verdicts: readonly Verdict[]): readonly string[] {
  const heads = {
    beyond: 'Beyond the best known: ',
    partly: 'Depends on how it is done: ',
    met: 'No obstacle: ',
  } as const;
  return (['beyond', 'partly', 'met'] as const).flatMap((kind) => {
    const found = verdicts.filter(({ verdict }) => verdict === kind);
    if (found.length === 0) return [];
    return [`${heads[kind]}${found.map(({ resource }) => resource).join('; ')}.`];
  });
}

function sectionTable(section: AuditSection, sources: SourceList, table: TableRenderer): string {
  const rows = section.lines.map((line) => [
    line.name,
    line.by,
    formatAuditValue(line.value, line.unit),
    sources.refer(line.sources),
  ]);
  return table(LINE_HEAD, rows, 2);
}

/** One bar an undisclosed figure; the line is the claim. */
function sensitivityChart({ claim, sensitivity }: Audit): string {
  const bars = sensitivity.map((line) => ({
    label: `${line.layout} ${line.figure}, ${formatAuditValue(line.values, line.unit)}`,
    value: line.tokensPerSecond,
    text: formatRange(line.tokensPerSecond),
  }));
  const legend = `Each varied alone, the others in the middle; shaded: what it decides; ┃: the claim`;
  return `${legend}\n${renderBars(bars, claim.tokensPerSecond)}${sourcesOfChart(sensitivity)}`;
}

function sourcesOfChart(sensitivity: readonly Sensitivity[]): string {
  const lines = new Set(sensitivity.map(({ figure, source }) => `${figure}: ${source}`));
  return `\n${[...lines].join('\n')}`;
}

function fenced(text: string, markdown: boolean): string {
  return markdown ? `\`\`\`text\n${text}\n\`\`\`` : text;
}
