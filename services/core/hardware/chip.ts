import type { Figure } from './figure.ts';

/** Number formats that chips multiply. */
export type Format = 'fp4' | 'fp8' | 'int8' | 'bf16';
export const FORMATS: readonly Format[] = ['fp4', 'fp8', 'int8', 'bf16'];

/** How the chips of a server are joined. */
export type Topology = 'switched' | 'ring' | 'mesh' | 'pcie';

/** What the memory accounting needs to know of a chip. */
export interface ChipSpec {
  readonly name: string;
  /** Capacity of the main memory in bytes. */
  readonly hbmBytes: number;
}

/** Links between the chips of one server, and from a chip to other servers. */
export interface ChipLinks {
  readonly topology: Topology;
  /** What a chip sends at once over all its links, one direction. */
  readonly bytesPerSecond: Figure;
  /** Whether the switch adds what passes through it, so that a chip sends and receives less. */
  readonly reducesInNetwork: boolean;
  readonly maxChipsPerServer: number;
  /** Ethernet or InfiniBand from a chip to other servers, one direction. */
  readonly networkBytesPerSecond: Figure;
}

/** A chip's data sheet: each number with its unit, origin and source. */
export interface Chip extends ChipSpec {
  readonly aliases: readonly string[];
  readonly vendor: string;
  readonly process: string;
  readonly memoryKind: string;
  readonly memoryBytes: Figure;
  readonly memoryBytesPerSecond: Figure;
  /** What streaming weights reached, where somebody measured it. */
  readonly streamBytesPerSecond?: Figure;
  /** Dense peak, by the format of the factors. */
  readonly peakFlops: Readonly<Partial<Record<Format, Figure>>>;
  /** Best matrix product that somebody measured. */
  readonly bestGemmFlops?: Readonly<Partial<Record<Format, Figure>>>;
  /** What large products sustain within the power limit, where somebody measured it. */
  readonly sustainedGemmFlops?: Readonly<Partial<Record<Format, Figure>>>;
  readonly links: ChipLinks;
  readonly powerWatts: Figure;
  /** Whether its clock rises above what its power limit sustains, as that of a GPU does. */
  readonly boosts?: true;
  readonly priceDollars: Figure;
  /** All compute dies of a package together, where that is known. */
  readonly dieSquareMillimetres?: Figure;
  readonly transistors?: Figure;
  /** What a reader must know beside the numbers. */
  readonly notes: readonly string[];
}

/** What a tool for chips calls it, such as "NVIDIA H100". */
export function productName({ vendor, name }: Chip): string {
  return name.startsWith(vendor) ? name : `${vendor} ${name}`;
}

/** A chip whose plain capacity is read off its data sheet. */
export function makeChip(sheet: Omit<Chip, 'hbmBytes'>): Chip {
  const { value } = sheet.memoryBytes;
  return { ...sheet, hbmBytes: typeof value === 'number' ? value : value.low };
}
