import type { AuditSection } from '../../core/claim/audit-line.ts';
import type { Sensitivity } from '../../core/claim/sensitivity.ts';
import type { Verdict } from '../../core/claim/verdicts.ts';
import type { Baseline } from '../../evidence/baselines.ts';
import { cellOf, type Table } from '../../report/report.ts';
import { formatCell, formatNumber } from '../models/quantity.ts';
import type { SourceList } from '../models/source-list.ts';
import { BASELINE_HEAD, baselineCells } from './audit-baselines.ts';
import { formatAuditValue } from './audit-value.ts';

/** Of the parts that every audit has. */
export const HEADINGS = {
  verdicts: 'What would have to be true, against the best known chips with stacked memory',
  sensitivity: 'What nobody disclosed: processed tokens/s with ideal software',
  baselines: 'Every published row of this workload',
} as const;

const VERDICT_HEAD = [
  'Resource of a chip',
  'Verdict',
  'The claim takes',
  'Best known',
  'Of it',
  'Sources',
];
const LINE_HEAD = ['Figure', 'How', 'Value', 'Sources'];

/** Each resource, and whether the best known silicon has it. */
export function verdictTable(verdicts: readonly Verdict[], sources: SourceList): Table {
  const rows = verdicts.map((verdict) => [
    verdict.resource,
    verdict.verdict,
    cellOf(verdict.need, formatAuditValue(verdict.need, verdict.unit)),
    cellOf(verdict.best, `${formatAuditValue(verdict.best, verdict.unit)}, ${verdict.bestChip}`),
    formatCell(verdict.factor, (factor) => `${formatNumber(factor)} ×`),
    sources.refer(verdict.sources),
  ]);
  const caption = 'Of one chip; sources are numbered at the end';
  return { kind: 'table', caption, head: VERDICT_HEAD, textColumns: 2, rows };
}

/** The resources by verdict. */
export function conclusions(verdicts: readonly Verdict[]): readonly string[] {
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

/** The figures about one question, and how each is calculated. */
export function sectionTable(section: AuditSection, sources: SourceList): Table {
  const rows = section.lines.map((line) => [
    line.name,
    line.by,
    cellOf(line.value, formatAuditValue(line.value, line.unit)),
    sources.refer(line.sources),
  ]);
  return { kind: 'table', caption: section.title, head: LINE_HEAD, textColumns: 2, rows };
}

/** Published measurements of the claim's workload. */
export function baselinesTable(baselines: readonly Baseline[], sources: SourceList): Table {
  const rows = baselines.map((baseline) => baselineCells(baseline, sources));
  const caption = 'As what as many chips as the claim’s would reach in replicas';
  return { kind: 'table', caption, head: BASELINE_HEAD, textColumns: 2, rows };
}

/** An undisclosed figure and its ends. */
export function sensitivityLabel({ layout, figure, values, unit }: Sensitivity): string {
  return `${layout} ${figure}, ${formatAuditValue(values, unit)}`;
}

/** Where the ends are from. */
export function sourcesOfSensitivity(sensitivity: readonly Sensitivity[]): readonly string[] {
  return [...new Set(sensitivity.map(({ figure, source }) => `${figure}: ${source}`))];
}
