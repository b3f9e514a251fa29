import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { type ClusterSnapshot, SohuClient } from '../../client/index.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { numberBetween } from '../../runtime/options/option-values.ts';
import { packageVersion } from '../../runtime/package-info.ts';
import { addPlaceOptions, type PlaceOptions, placeOf } from '../serve/cluster-place.ts';
import { listenForStop } from '../terminal/stop-requests.ts';
import { askEngines } from './ask-engines.ts';
import { chipBlocks } from './chip-blocks.ts';
import { processTable } from './process-table.ts';
import { csvHeader, csvLines, parseFormat } from './query-csv.ts';
import { parseQuery, queryHelp } from './query-fields.ts';
import { selectChips } from './select-chips.ts';
import { snapshotObject } from './snapshot-object.ts';

interface SmiOptions extends PlaceOptions {
  readonly loop: number | undefined;
  readonly id: string | undefined;
  readonly list: true | undefined;
  readonly queryChip: string | undefined;
  readonly format: string | undefined;
  readonly helpQueryChip: true | undefined;
  readonly json: true | undefined;
}

/** Renders what the engines said; `isFirst` where nothing was printed before. */
type Renderer = (engines: readonly ClusterSnapshot[], isFirst: boolean) => readonly string[];

const EXAMPLES = `Examples:
  sohu smi                    the chips of the running cluster, as nvidia-smi shows GPUs
  sohu smi -l 1 -i 0,1        again every second, only these chips
  sohu smi -L
  sohu smi --query-chip=index,utilization.chip,memory.used --format=csv,noheader,nounits
  sohu smi --json
`;
const MAX_LOOP_SECONDS = 86_400;

/** Adds `sohu smi`, which shows the chips once, or again and again. */
export function addSmiCommand(program: Command): void {
  addPlaceOptions(program.command('smi'))
    .description('Show the chips of a cluster: memory, utilisation, power, processes.')
    .option('-l, --loop <seconds>', 'again after so long', numberBetween(0.05, MAX_LOOP_SECONDS))
    .option('-i, --id <ids>', 'only these chips, by index or UUID, with commas between')
    .option('-L, --list', 'a line for each chip, with its UUID')
    .option('--query-chip <fields>', 'these figures of each chip, with commas between')
    .option('--format <words>', 'of the figures: csv, and noheader, nounits (default: csv)')
    .option('--help-query-chip', 'list the figures')
    .option('--json', 'print one JSON object for each engine')
    .addHelpText('before', EXAMPLES)
    .action(smi);
}

async function smi(options: SmiOptions): Promise<void> {
  if (options.helpQueryChip) {
    process.stdout.write(queryHelp());
    return;
  }
  const render = rendererOf(options);
  const ids = options.id?.split(',').map((id) => id.trim());
  const { natsUrl, ...place } = placeOf(options);
  const signal = listenForStop();
  const client = await SohuClient.connect(natsUrl, place);
  try {
    for (let round = 0; ; round++) {
      const answers = await askEngines(client, signal);
      const engines = selectChips(
        answers.map(({ snapshot }) => snapshot),
        ids,
      );
      process.stdout.write(`${render(engines, round === 0).join('\n')}\n`);
      if (options.loop === undefined) return;
      await delay(1000 * options.loop, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  } catch (error) {
    // A question that is cut short fails by itself.
    throw signal.aborted ? signal.reason : error;
  } finally {
    await client.close();
  }
}

function rendererOf({ queryChip, format, json, list }: SmiOptions): Renderer {
  if (format !== undefined && queryChip === undefined) {
    throw new InvalidArgumentError('format is for the figures of --query-chip, which is absent');
  }
  const chosen = Object.entries({ 'query-chip': queryChip, json, list }).filter(([, it]) => it);
  if (chosen.length > 1) {
    throw new InvalidArgumentError(
      `${chosen.map(([name]) => `--${name}`).join(' and ')} exclude each other`,
    );
  }
  if (queryChip !== undefined) return csvRenderer(queryChip, format ?? 'csv');
  if (json) return (engines) => engines.map((engine) => JSON.stringify(snapshotObject(engine)));
  if (list) return (engines) => engines.flatMap(listLines);
  return (engines) => engines.flatMap((engine) => renderTables(engine, packageVersion()));
}

/** The tables of an engine, below the moment for which they hold. */
export function renderTables(engine: ClusterSnapshot, version: string): string[] {
  const moment = new Date(engine.timestampMs).toISOString().replace('T', ' ').slice(0, 19);
  return [`${moment} UTC`, ...chipBlocks(engine, version), '', ...processTable(engine)];
}

function csvRenderer(query: string, format: string): Renderer {
  const fields = parseQuery(query);
  const shape = parseFormat(format);
  return (engines, isFirst) => [
    ...(isFirst && shape.hasHeader ? [csvHeader(fields)] : []),
    ...engines.flatMap((engine) => csvLines(engine, fields, shape)),
  ];
}

function listLines({ chips }: ClusterSnapshot): string[] {
  return chips.map(({ seat, name, uuid }) => `Chip ${seat}: ${name} (UUID: ${uuid})`);
}
