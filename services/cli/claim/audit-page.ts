import type { Sensitivity } from '../../core/claim/sensitivity.ts';
import type { Verdict } from '../../core/claim/verdicts.ts';
import type { Audit } from '../../evidence/audit-claim.ts';
import {
  type BarChart,
  type Report,
  type ReportSection,
  spansOfRange,
} from '../../report/report.ts';
import { formatCell, formatNumber } from '../models/quantity.ts';
import { SourceList } from '../models/source-list.ts';
import {
  BASELINE_HEAD,
  baselineCells,
  baselineFindings,
  describeClaim,
  layoutOf,
  rowName,
} from './audit-baselines.ts';
import {
  conclusions,
  HEADINGS,
  sectionTable,
  sensitivityLabel,
  sourcesOfSensitivity,
  verdictTable,
} from './audit-tables.ts';

/** A claim taken apart. */
export function pageOfAudit(audit: Audit): Report {
  const sources = new SourceList();
  const sections: readonly ReportSection[] = [
    {
      title: HEADINGS.verdicts,
      blocks: [needBars(audit.verdicts), verdictTable(audit.verdicts, sources)],
    },
    sensitivitySection(audit),
    ratioSection(audit, sources),
    ...audit.sections.map((section) => ({
      title: section.title,
      blocks: [sectionTable(section, sources)],
    })),
  ];
  const all = { kind: 'notes', lines: sources.all, isNumbered: true } as const;
  return {
    title: describeClaim(audit.claim),
    lead: conclusions(audit.verdicts),
    sections: [...sections, { title: 'Sources', blocks: [all] }],
  };
}

function needBars(verdicts: readonly Verdict[]): BarChart {
  return {
    kind: 'bars',
    caption:
      'What the claim takes over the best known; from the least to the most that it can be read as',
    head: ['Resource of a chip', 'Of the best known', 'Verdict'],
    legend: [],
    mark: { value: 1, label: 'the best known chip' },
    rows: verdicts.map(({ resource, factor, verdict }) => ({
      label: resource,
      spans: spansOfRange(factor),
      cells: [formatCell(factor, (value) => `${formatNumber(value)} ×`), verdict],
    })),
  };
}

function sensitivitySection({ claim, sensitivity }: Audit): ReportSection {
  return {
    title: HEADINGS.sensitivity,
    blocks: [
      {
        kind: 'bars',
        caption: 'Each figure varied alone, the others in the middle.',
        head: ['Figure', 'Processed tokens/s'],
        legend: [],
        mark: {
          value: claim.tokensPerSecond,
          label: `the claim, ${formatNumber(claim.tokensPerSecond)}`,
        },
        rows: [...sensitivity].sort(bySwing).map((line) => ({
          label: sensitivityLabel(line),
          spans: [{ from: line.tokensPerSecond.low, to: line.tokensPerSecond.high, style: 0 }],
          cells: [formatCell(line.tokensPerSecond)],
        })),
      },
      { kind: 'notes', lines: sourcesOfSensitivity(sensitivity) },
    ],
  };
}

/** What decides the most comes first. */
function bySwing({ tokensPerSecond: a }: Sensitivity, { tokensPerSecond: b }: Sensitivity): number {
  return b.high - b.low - (a.high - a.low);
}

/** The claim over every published row, beside what it says of the first chip that it names. */
function ratioSection(audit: Audit, sources: SourceList): ReportSection {
  const { baselines, claim } = audit;
  const [said] = claim.comparisons;
  const findings = { kind: 'notes', lines: baselineFindings(audit) } as const;
  if (baselines.length === 0) return { title: HEADINGS.baselines, blocks: [findings] };
  const [, , ...head] = BASELINE_HEAD;
  return {
    title: HEADINGS.baselines,
    blocks: [
      findings,
      {
        kind: 'bars',
        caption:
          'The claim over a row, restated as what as many chips as the claim’s reach in replicas',
        head: ['Published row', ...head],
        legend: [],
        ...(said && {
          mark: { value: said.ratio, label: `said of ${said.chip.name}: ${said.ratio} ×` },
        }),
        rows: baselines.map((baseline) => ({
          label: `${rowName(baseline)} ${layoutOf(baseline)}`,
          spans: [{ from: 0, to: baseline.ratio, style: 0 }],
          cells: baselineCells(baseline, sources).slice(2),
        })),
      },
    ],
  };
}
