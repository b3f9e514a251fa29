import { chipCount } from '../../core/timing/layout.ts';
import { isByConstruction } from '../../core/timing/load-price.ts';
import { VENDOR_SCENARIOS } from '../../sim/vendor-scenarios/catalogue.ts';
import type { VendorScenario } from '../../sim/vendor-scenarios/vendor-scenario.ts';
import { printedTable, renderTable } from '../terminal/table.ts';
import type { ScenarioResult, ScenarioRow } from './scenario-rows.ts';
import { assumptionsTable, measuresTable, notesOn, partsTable, saidOf } from './scenario-tables.ts';

/** Every scenario, and what is said of it. */
export function listOfScenarios(): string {
  const rows = VENDOR_SCENARIOS.map(({ name, said }) => [name, said.text, said.source]);
  const head = ['Scenario', 'What Etched says', 'Source'];
  return renderTable(head, rows, { stream: process.stdout, textColumns: 3 });
}

/** The same for programs. */
export function listObject(): readonly object[] {
  return VENDOR_SCENARIOS.map(describe);
}

/** A scenario for a terminal. */
export function textOfScenario(result: ScenarioResult): string {
  const { scenario } = result;
  const parts = partsTable(result);
  const assumed = assumptionsTable(scenario);
  return [
    scenario.title,
    saidOf(scenario),
    '',
    printedTable(measuresTable(result)),
    `${parts.caption}:`,
    printedTable(parts),
    `${assumed.caption}:`,
    printedTable(assumed),
    ...notesOn(result),
  ].join('\n');
}

/** The object of `--json`. */
export function objectOfScenario({ scenario, seed, rows, refused }: ScenarioResult): object {
  return { clock: 'device', ...describe(scenario), seed, rows: rows.map(objectOfRow), refused };
}

function describe({ name, title, said, model, assumptions, caveats }: VendorScenario) {
  return { scenario: name, title, said, model, assumptions, caveats };
}

function objectOfRow({ placed, measures, parts }: ScenarioRow): object {
  const { chip, layout, software, precision } = placed;
  return {
    chip: chip.name,
    chips: chipCount(layout),
    tp: layout.tp,
    software: software.name,
    precision: precision.weights,
    by_construction: isByConstruction(chip),
    measures: Object.fromEntries(measures.map(({ id, range }) => [id, range])),
    latency_seconds: parts,
  };
}
