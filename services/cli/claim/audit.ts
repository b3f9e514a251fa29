import { type Command, Option } from 'commander';
import { auditClaim } from '../../evidence/audit-claim.ts';
import { findClaim } from '../../evidence/find-claim.ts';
import { packagePath } from '../../runtime/package-info.ts';
import { findModel } from '../models/models.ts';
import { addHtmlOption, type HtmlOptions, writeHtml } from '../terminal/html-output.ts';
import { pageOfAudit } from './audit-page.ts';
import { textOfAudit } from './audit-text.ts';
import { publishedRows } from './published-rows.ts';

const EXAMPLES = `Examples:
  sohu audit                          Etched's claim of June 2024: what would have to be true
  sohu audit my-claim.json            another claim; services/evidence/claims has one to copy
  sohu audit --markdown > audit.md
  sohu audit --json
`;
const BUILT_IN = 'etched-sohu-2024';

interface AuditOptions extends HtmlOptions {
  readonly json?: true;
  readonly markdown?: true;
}

/** Adds `sohu audit`, which works out what would have to be true for a claim to hold. */
export function addAuditCommand(program: Command): void {
  addHtmlOption(
    program
      .command('audit')
      .description('Take a throughput claim apart: what would have to be true for it to hold.')
      .argument('[claim]', 'a claim that comes with the program, or a JSON file', BUILT_IN)
      .addOption(new Option('--json', 'print one JSON object').conflicts('markdown'))
      .option('--markdown', 'print Markdown')
      .addHelpText('before', EXAMPLES),
  ).action(audit);
}

function audit(nameOrPath: string, { json, markdown, html }: AuditOptions): void {
  const claim = findClaim(nameOrPath, packagePath('services/evidence/claims'), findModel);
  const result = auditClaim(claim, publishedRows(), findModel);
  const text = json ? JSON.stringify(result) : textOfAudit(result, markdown === true);
  process.stdout.write(`${text}\n`);
  writeHtml({ html }, () => pageOfAudit(result));
}
