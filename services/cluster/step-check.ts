import { countsTokens } from '../core/sampling/params.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import type { ShardLayout } from '../shard/layout.ts';
import type { ChipSequence, ChipSequences } from './chip-sequences.ts';
import type { StepCommand, StepSequence } from './messages.ts';

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
  layout: ShardLayout,
): StepFault | undefined {
  const { maxRows, maxSequences } = layout.options;
  const rows = command.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
  if (rows > maxRows || command.sequences.length > maxSequences) return 'size';
  if (rows === 0 || command.sequences.some(({ tokens }) => tokens.length === 0)) return 'size';
  if (new Set(command.sequences.map(({ id }) => id)).size < command.sequences.length) {
    return 'sequence';
  }
  const released = new Set(command.released);
  for (const part of command.sequences) {
    const known = released.has(part.id) ? undefined : sequences.find(part.id);
    const fault = checkPart(part, known, layout);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function checkPart(
  part: StepSequence,
  known: ChipSequence | undefined,
  layout: ShardLayout,
): StepFault | undefined {
  const { admission, start, tokens } = part;
  const { config } = layout.plan;
  if (admission === undefined && known === undefined) return 'sequence';
  if (start + tokens.length > config.maxPositions) return 'position';
  const history = admission && countsTokens(admission.sampling) ? start : 0;
  if (admission === undefined ? start !== known!.position : admission.history.length !== history) {
    return 'position';
  }
  const isToken = (token: number): boolean => token < config.vocabSize;
  if (!(tokens.every(isToken) && (admission?.history ?? []).every(isToken))) return 'token';
  if (part.mask !== undefined && !isMask(part.mask, config.vocabSize)) return 'mask';
  const before = admission === undefined ? known!.blocks.length : 0;
  return isTable(part, before, layout) ? undefined : 'block';
}

function isMask(mask: TokenMask, vocabSize: number): boolean {
  if (mask.kind === 'tokens') return mask.tokens.every((token) => token < vocabSize);
  return mask.bits.length === Math.ceil(vocabSize / 8);
}

/** Whether the table, with the blocks that it had before, holds every position of the part. */
function isTable(
  { blocks, start, tokens }: StepSequence,
  before: number,
  { options, blocksPerSequence }: ShardLayout,
): boolean {
  const count = before + blocks.length;
  return (
    count <= blocksPerSequence &&
    count * options.blockSize >= start + tokens.length &&
    blocks.every((block) => block < options.kvBlocks)
  );
}
