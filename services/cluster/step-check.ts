import { countsTokens } from '../core/sampling/params.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { ChipSequence, ChipSequences } from './chip-sequences.ts';
import type { StepCommand, StepSequence } from './messages.ts';

/** What a step of a shard may ask for. */
export interface StepLimits {
  readonly maxRows: number;
  readonly maxSequences: number;
  readonly maxPositions: number;
  readonly vocabSize: number;
  readonly blockSize: number;
  readonly kvBlocks: number;
  readonly blocksPerSequence: number;
  /** Whether commands carry ids of tokens; else they only count them. */
  readonly readsTokens: boolean;
}

/** Why a step command is refused. */
export type StepFault = (typeof STEP_FAULTS)[number];

/**
 * `order`: not after the step before it; `size`: no rows, or more than the group's limits;
 * `sequence`: unknown, or twice; `position`: not where the sequence continues, or beyond the
 * context; `token` and `block`: outside their range, or too few or too many blocks; `mask`: not of
 * this vocabulary.
 */
export const STEP_FAULTS = [
  'order',
  'size',
  'sequence',
  'position',
  'token',
  'block',
  'mask',
] as const;

/**
 * Finds what would make a chip read or write outside its memory, or compute something else than
 * its peers; undefined where the command is sound.
 */
export function checkStep(
  command: StepCommand,
  sequences: ChipSequences,
  limits: StepLimits,
): StepFault | undefined {
  const rows = command.sequences.reduce((sum, { count }) => sum + count, 0);
  if (rows > limits.maxRows || command.sequences.length > limits.maxSequences) return 'size';
  // Rows of logits have buffers for as many as there may be sequences.
  const heads = command.sequences.reduce((sum, part) => sum + headRowsOf(part), 0);
  if (heads > limits.maxSequences) return 'size';
  if (rows === 0 || !command.sequences.every((part) => isCounted(part, limits))) return 'size';
  if (!areDistinct(command.sequences)) return 'sequence';
  const released = new Set(command.released);
  for (const part of command.sequences) {
    const known = released.has(part.id) ? undefined : sequences.find(part.id);
    const fault = checkPart(part, known, limits);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Nearly always they come in the order of their numbers. */
function areDistinct(sequences: readonly StepSequence[]): boolean {
  let last = -1;
  for (const { id } of sequences) {
    if (id <= last) return new Set(sequences.map((each) => each.id)).size === sequences.length;
    last = id;
  }
  return true;
}

function isCounted({ count, tokens }: StepSequence, { readsTokens }: StepLimits): boolean {
  return count > 0 && tokens.length === (readsTokens ? count : 0);
}

function checkPart(
  part: StepSequence,
  known: ChipSequence | undefined,
  limits: StepLimits,
): StepFault | undefined {
  const { admission, start, count, tokens } = part;
  if (admission === undefined && known === undefined) return 'sequence';
  if (start + count > limits.maxPositions) return 'position';
  const isPenalised = limits.readsTokens && admission && countsTokens(admission.sampling);
  const history = isPenalised ? start : 0;
  if (admission === undefined ? start !== known!.position : admission.history.length !== history) {
    return 'position';
  }
  if (!areTargets(part, limits)) return 'position';
  if (part.targets !== undefined && !areTokens(part.targets.tokens, limits)) return 'token';
  if (admission !== undefined && !areTokens(admission.history, limits)) return 'token';
  if (!areTokens(tokens, limits)) return 'token';
  if (part.mask !== undefined && !isMask(part.mask, limits.vocabSize)) return 'mask';
  const before = admission === undefined ? known!.blocks.length : 0;
  return isTable(part, before, limits) ? undefined : 'block';
}

function areTokens(ids: readonly number[], { vocabSize }: StepLimits): boolean {
  for (const id of ids) if (id >= vocabSize) return false;
  return true;
}

function headRowsOf({ sample, targets }: StepSequence): number {
  return Number(sample) + (targets?.tokens.length ?? 0);
}

/** Whether the row before every target is one of the part. */
function areTargets({ targets, start, count }: StepSequence, { readsTokens }: StepLimits): boolean {
  if (targets === undefined) return true;
  const last = targets.start + targets.tokens.length - 1;
  return readsTokens && targets.start > start && last <= start + count;
}

function isMask(mask: TokenMask, vocabSize: number): boolean {
  if (mask.kind === 'tokens') return mask.tokens.every((token) => token < vocabSize);
  return mask.bits.length === Math.ceil(vocabSize / 8);
}

/** Whether the table, with the blocks that it had before, holds every position of the part. */
function isTable(
  { blocks, start, count }: StepSequence,
  before: number,
  { blockSize, kvBlocks, blocksPerSequence }: StepLimits,
): boolean {
  const total = before + blocks.length;
  return (
    total <= blocksPerSequence &&
    total * blockSize >= start + count &&
    blocks.every((block) => block < kvBlocks)
  );
}
