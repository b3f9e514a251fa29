import type { ClusterSnapshot } from '../../client/index.ts';
import { field, row, rule, WHOLE } from './box.ts';
import { mebibytes } from './chip-figures.ts';

interface Cells {
  readonly chip: string;
  readonly pid: string;
  readonly role: string;
  readonly weights: string;
  readonly kv: string;
  readonly activations: string;
  readonly metrics: string;
}

const HEAD: Cells = {
  chip: 'Chip',
  pid: 'PID',
  role: 'Role',
  weights: 'Weights',
  kv: 'KV',
  activations: 'Activ.',
  metrics: 'Metrics',
};

/** The processes that emulate the chips, and what each has in HBM. */
export function processTable(engine: ClusterSnapshot): string[] {
  const processes = engine.chips.map((chip) =>
    line({
      chip: String(chip.seat),
      pid: String(chip.pid),
      role: `worker TP${chip.rank}`,
      weights: mib(chip.hbmWeightBytes),
      kv: mib(chip.hbmKvBytes),
      activations: mib(chip.hbmActivationBytes),
      metrics: chip.metricsAddress || 'N/A',
    }),
  );
  return [
    rule(WHOLE),
    row([' Processes:'], WHOLE),
    line(HEAD),
    rule(WHOLE, { ends: '|', sign: '=' }),
    ...(processes.length > 0 ? processes : [row(['  No running processes found'], WHOLE)]),
    rule(WHOLE),
  ];
}

function line(cells: Cells): string {
  const left = `${field(cells.chip, 5, 'right')}${field(cells.pid, 9, 'right')}  ${field(cells.role, 11)}`;
  const memory = [cells.weights, cells.kv, cells.activations]
    .map((text) => field(text, 9, 'right'))
    .join(' ');
  // What is left of the row, less its last space.
  return row([`${left}${memory} ${field(cells.metrics, 19, 'right')} `], WHOLE);
}

function mib(bytes: number): string {
  return `${mebibytes(bytes)}MiB`;
}
