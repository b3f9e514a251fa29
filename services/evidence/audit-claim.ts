import type { Architecture } from '../core/architecture/architecture.ts';
import type { AuditSection } from '../core/claim/audit-line.ts';
import type { Claim } from '../core/claim/claim.ts';
import { computeSection } from '../core/claim/compute-need.ts';
import { countedSection } from '../core/claim/counted.ts';
import { linkSection } from '../core/claim/link-need.ts';
import { memorySection } from '../core/claim/memory-need.ts';
import { rooflineSection } from '../core/claim/own-roofline.ts';
import { pricedLinkRate, type Sensitivity, sensitivityOf } from '../core/claim/sensitivity.ts';
import { siliconSection } from '../core/claim/silicon-need.ts';
import { type Verdict, verdictsOf } from '../core/claim/verdicts.ts';
import { type Baseline, baselinesOf, type ComparisonCheck, checkComparisons } from './baselines.ts';
import { economicsSection } from './economics.ts';
import type { PublishedRow } from './published-row.ts';

/** What would have to be true for a claim to hold. */
export interface Audit {
  readonly claim: Claim;
  readonly verdicts: readonly Verdict[];
  readonly sections: readonly AuditSection[];
  /** Every published row of the workload: the highest ratio first, wider formats last. */
  readonly baselines: readonly Baseline[];
  readonly comparisons: readonly ComparisonCheck[];
  readonly sensitivity: readonly Sensitivity[];
}

/** Audits a claim against the catalogues and published rows. */
export function auditClaim(
  claim: Claim,
  published: readonly PublishedRow[],
  architectureOf: (model: string) => Architecture,
): Audit {
  const baselines = baselinesOf(claim, published, architectureOf);
  const sections = [
    countedSection(claim),
    computeSection(claim),
    memorySection(claim),
    linkSection(claim, pricedLinkRate(claim)),
    siliconSection(claim),
    economicsSection(claim, baselines),
    rooflineSection(claim),
  ];
  return {
    claim,
    verdicts: verdictsOf(claim),
    sections: sections.filter((section) => section !== undefined),
    baselines,
    comparisons: checkComparisons(claim, baselines),
    sensitivity: sensitivityOf(claim),
  };
}
