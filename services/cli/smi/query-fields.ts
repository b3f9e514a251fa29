import type { ChipStatus, ClusterSnapshot } from '../../client/index.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { nearestName } from '../../core/support/nearest.ts';
import { mebibytes, powerLimitWatts, usedBytes } from './chip-figures.ts';

/** A figure that `--query-chip` may ask for. */
export interface QueryField {
  readonly name: string;
  /** Another name by which nvidia-smi knows it. */
  readonly alias?: string;
  readonly meaning: string;
  /** Stands behind the value and, in brackets, behind the name. */
  readonly unit?: string;
  /** Undefined where the figure is not modelled. */
  readonly read: (chip: ChipStatus, engine: ClusterSnapshot) => string | number | undefined;
}

const MODELLED = 'of the modelled chip';

const IDENTITY: readonly QueryField[] = [
  {
    name: 'timestamp',
    meaning: 'when the engine was asked, in UTC',
    read: (_, { timestampMs }) =>
      new Date(timestampMs).toISOString().replaceAll('-', '/').replace('T', ' ').replace('Z', ''),
  },
  {
    name: 'count',
    meaning: 'chips of the engine',
    read: (_, engine) => engine.tensorParallelSize,
  },
  { name: 'index', meaning: 'where the chip is, from 0', read: ({ seat }) => seat },
  { name: 'name', meaning: 'product name of the modelled chip', read: ({ name }) => name },
  { name: 'uuid', meaning: 'the same for all that take this place', read: ({ uuid }) => uuid },
  { name: 'rank', meaning: 'its tensor-parallel rank', read: ({ rank }) => rank },
  { name: 'pid', meaning: 'the process that emulates it', read: ({ pid }) => pid },
  { name: 'state', meaning: 'ready or joining', read: ({ state }) => state },
  {
    name: 'metrics.address',
    meaning: 'host:port of its metrics',
    read: ({ metricsAddress }) => metricsAddress || undefined,
  },
  { name: 'cluster', meaning: 'name of the cluster', read: (_, { cluster }) => cluster },
  { name: 'engine', meaning: 'name of the engine', read: (_, { engine }) => engine },
  { name: 'epoch', meaning: 'raised when the chips begin anew', read: (_, { epoch }) => epoch },
  { name: 'model', meaning: 'the served model', read: (_, { modelName }) => modelName },
  { name: 'precision', meaning: 'of the linear layers', read: (_, { precision }) => precision },
  { name: 'weights', meaning: 'real or phantom', read: (_, { weights }) => weights },
];

const FIGURES: readonly QueryField[] = [
  share(
    'utilization.chip',
    'time in which it took part in a step, of the last 2 s',
    (it) => it.busy,
    {
      alias: 'utilization.gpu',
    },
  ),
  share('utilization.mfu', `FLOP/s of the dense peak (${MODELLED})`, (it) => it.mfu),
  share('utilization.memory', `HBM bandwidth (${MODELLED})`, (it) => it.hbmBandwidth),
  share('utilization.link', `link bandwidth (${MODELLED})`, (it) => it.linkBandwidth),
  memory('memory.total', 'HBM', (it) => it.hbmTotalBytes),
  memory('memory.used', 'weights, KV blocks in use and activations', usedBytes),
  memory('memory.free', 'the rest', (it) => it.hbmTotalBytes - usedBytes(it)),
  memory('memory.weights', 'weights', (it) => it.hbmWeightBytes),
  memory('memory.kv', 'KV blocks in use', (it) => it.hbmKvBytes),
  memory('memory.kv_reserved', 'all KV blocks', (it) => it.hbmKvReservedBytes),
  memory('memory.activations', 'activations', (it) => it.hbmActivationBytes),
  {
    name: 'power.draw',
    meaning: `by its load (${MODELLED})`,
    unit: 'W',
    read: ({ powerWatts }) => powerWatts.toFixed(2),
  },
  {
    name: 'power.limit',
    meaning: 'the most that its data allow (assumed for Sohu)',
    unit: 'W',
    read: ({ name }) => powerLimitWatts(name)?.toFixed(2),
  },
  {
    name: 'temperature.chip',
    alias: 'temperature.gpu',
    meaning: 'not modelled: always [N/A]',
    read: () => undefined,
  },
  milliseconds('step.compute', 'last step (host)', (it) => it.stepComputeMs),
  milliseconds(
    'step.communication',
    'last step, waiting included (host)',
    (it) => it.stepCommunicationMs,
  ),
  { name: 'step.count', meaning: 'since the chip started', read: ({ steps }) => steps },
  { name: 'link.tx', meaning: 'sent', unit: 'B', read: ({ bytesSent }) => bytesSent },
  {
    name: 'link.rx',
    meaning: 'received',
    unit: 'B',
    read: ({ bytesReceived }) => bytesReceived,
  },
  {
    name: 'errors.dropped_frames',
    meaning: 'frames that failed a check',
    read: ({ droppedFrames }) => droppedFrames,
  },
];

/** In the order of the help. */
export const QUERY_FIELDS: readonly QueryField[] = [...IDENTITY, ...FIGURES];

/** The fields of a list such as "index,memory.used"; an InvalidArgumentError names the nearest. */
export function parseQuery(list: string): readonly QueryField[] {
  return list.split(',').map((text) => {
    const wanted = text.trim();
    const found = QUERY_FIELDS.find(({ name, alias }) => name === wanted || alias === wanted);
    // It stands in the answer by the name that was asked for.
    if (found !== undefined) return { ...found, name: wanted };
    const names = QUERY_FIELDS.map(({ name }) => name);
    throw new InvalidArgumentError(
      `query-chip has no field ${JSON.stringify(wanted)}; the nearest is ${nearestName(names, wanted)}, and --help-query-chip lists all`,
    );
  });
}

/** What `--help-query-chip` prints. */
export function queryHelp(): string {
  const titles = QUERY_FIELDS.map(({ name, alias }) => (alias ? `${name}, ${alias}` : name));
  const width = Math.max(...titles.map((title) => title.length));
  return QUERY_FIELDS.map(({ meaning, unit }, index) => {
    const inUnit = unit === undefined ? '' : ` [${unit}]`;
    return `${titles[index]!.padEnd(width)}  ${meaning}${inUnit}\n`;
  }).join('');
}

function share(
  name: string,
  meaning: string,
  shareOf: (chip: ChipStatus) => number,
  more: Pick<QueryField, 'alias'> = {},
): QueryField {
  const read = (chip: ChipStatus): number => Number((100 * shareOf(chip)).toPrecision(3));
  return { name, ...more, meaning, unit: '%', read };
}

function memory(name: string, meaning: string, bytesOf: (chip: ChipStatus) => number): QueryField {
  return { name, meaning, unit: 'MiB', read: (chip) => mebibytes(bytesOf(chip)) };
}

function milliseconds(
  name: string,
  meaning: string,
  msOf: (chip: ChipStatus) => number,
): QueryField {
  return { name, meaning, unit: 'ms', read: (chip) => msOf(chip).toFixed(3) };
}
