import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { renderReport } from '../../report/render-report.ts';
import type { Report } from '../../report/report.ts';

/** Of a command that can write a report. */
export interface HtmlOptions {
  readonly html: string | undefined;
}

/** Adds the option under which a command writes a report beside what it prints. */
export function addHtmlOption(command: Command): Command {
  return command.option('--html <file>', 'also write a report with plots, as one HTML file');
}

/** Writes the report where one was asked for. */
export function writeHtml({ html }: HtmlOptions, makeReport: () => Report): void {
  if (html === undefined) return;
  const page = renderReport(makeReport());
  try {
    writeFileSync(html, page);
  } catch (error) {
    throw new InvalidArgumentError(
      `html must be a file that can be written: ${(error as Error).message}`,
    );
  }
}
