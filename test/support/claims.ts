import { readFileSync } from 'node:fs';
import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import type { Architecture } from '../../services/core/architecture/architecture.ts';
import type { AuditLine } from '../../services/core/claim/audit-line.ts';
import type { Claim } from '../../services/core/claim/claim.ts';
import { parseClaim } from '../../services/core/claim/parse-claim.ts';
import { type Range, rangeOf } from '../../services/core/hardware/figure.ts';
import { type Audit, auditClaim } from '../../services/evidence/audit-claim.ts';
import { readPublishedRows } from '../../services/evidence/published-row.ts';
import { packagePath } from '../../services/runtime/package-info.ts';

/** The claim that comes with the program, as its file has it. */
export const ETCHED_JSON: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(packagePath('services/evidence/claims/etched-sohu-2024.json'), 'utf8'),
);

export function architectureOf(model: string): Architecture {
  return findArchitecture(model, packagePath('models/catalogue'));
}

/** That claim with other fields; undefined takes a field away. */
export function makeClaim(changes: Readonly<Record<string, unknown>> = {}): Claim {
  const json = { ...ETCHED_JSON, ...changes };
  const entries = Object.entries(json).filter(([, value]) => value !== undefined);
  return parseClaim(Object.fromEntries(entries), architectureOf);
}

/** The audit of a claim against the published rows of the program. */
export function makeAudit(claim: Claim): Audit {
  const rows = readPublishedRows(packagePath('services/evidence/published/rows.csv'));
  return auditClaim(claim, rows, architectureOf);
}

/** Both ends of a figure of an audit. */
export function figureOf({ sections }: Audit, id: string): Range {
  const line = lineOf(
    sections.flatMap(({ lines }) => lines),
    id,
  );
  return rangeOf({ value: line.value, unit: 's', origin: 'derived', source: '' });
}

function lineOf(lines: readonly AuditLine[], id: string): AuditLine {
  const found = lines.find((line) => line.id === id);
  if (found === undefined) throw new Error(`the audit has no figure ${id}`);
  return found;
}
