import { type Chip, makeChip } from '../hardware/chip.ts';
import { findChip } from '../hardware/chip-catalogue.ts';
import type { Figure, Range } from '../hardware/figure.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import { type Claim, impliedPeak, sustainedFlopsPerChip } from './claim.ts';
import type { ClaimFields } from './claim-fields.ts';

const FIELDS: readonly string[] = [
  'name',
  'memory_bytes',
  'memory_bytes_per_second',
  'link_bytes_per_second',
  'power_watts',
  'price_dollars',
];
/** A server's network in the other data sheets: one 400 Gb/s adapter a chip. */
const NETWORK_BYTES_PER_SECOND = 50e9;

/** What the claim says of the load, which implies what the chip sustains. */
type ClaimedLoad = Pick<
  Claim,
  | 'architecture'
  | 'precision'
  | 'chips'
  | 'inputTokens'
  | 'outputTokens'
  | 'tokensPerSecond'
  | 'utilization'
>;

/** A chip of the catalogue by its name, or one that the claim's file describes. */
export function readClaimedChip(fields: ClaimFields, load: ClaimedLoad): Chip {
  if (typeof fields.value('chip') !== 'string') return describedChip(fields, load);
  const chip = findChip(fields.text('chip'));
  if (chip.peakFlops[load.precision.weights] !== undefined) return chip;
  const formats = Object.keys(chip.peakFlops);
  throw new InvalidArgumentError(
    `precision must be one of ${formats.join(', ')} on ${chip.name}, not ${load.precision.weights}; the nearest is ${formats[0]}`,
  );
}

/** A peak that rests on the claim alone, by construction. */
function describedChip(fields: ClaimFields, load: ClaimedLoad): Chip {
  const chip = fields.object('chip', FIELDS);
  const source = fields.text('source');
  const figure = (value: Range | number, unit: Figure['unit']): Figure => ({
    value: plain(value),
    unit,
    origin: 'assumed',
    source,
  });
  const sustained = sustainedFlopsPerChip(load);
  const flops = (value: Range | number): Figure => ({
    ...figure(value, 'FLOP/s'),
    origin: 'derived',
    byConstruction: true,
  });
  const peak = impliedPeak(sustained, load.utilization);
  const half = { low: peak.low / 2, high: peak.high / 2 };
  const { weights } = load.precision;
  return makeChip({
    name: chip.text('name'),
    aliases: [],
    vendor: 'not stated',
    process: 'not stated',
    memoryKind: 'HBM',
    memoryBytes: figure(chip.range('memory_bytes'), 'bytes'),
    memoryBytesPerSecond: figure(chip.range('memory_bytes_per_second'), 'bytes/s'),
    peakFlops: { bf16: flops(half), [weights]: flops(peak) },
    bestGemmFlops: { bf16: flops(sustained / 2), [weights]: flops(sustained) },
    links: {
      topology: 'switched',
      bytesPerSecond: figure(chip.range('link_bytes_per_second'), 'bytes/s'),
      reducesInNetwork: true,
      maxChipsPerServer: load.chips,
      networkBytesPerSecond: figure(NETWORK_BYTES_PER_SECOND, 'bytes/s'),
    },
    powerWatts: figure(chip.range('power_watts'), 'W'),
    priceDollars: figure(chip.range('price_dollars'), 'USD'),
    notes: [`As ${source} describes it.`],
  });
}

function plain(value: Range | number): Figure['value'] {
  return typeof value !== 'number' && value.low === value.high ? value.low : value;
}
