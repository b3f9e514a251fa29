import { sohu } from '#proto';
import type { Command, PromptTargets, StepCommand, StepSequence } from '../cluster/messages.ts';
import type { TokenMask } from '../core/sampling/token-mask.ts';
import { decodeAdmission, encodeAdmission } from './admission-codec.ts';
import { decodeGroupSpec, encodeGroupSpec } from './group-spec-codec.ts';

const CommandMessage = sohu.v1.Command;

/** Encodes what a coordinator tells its chips. */
export function encodeCommand(command: Command): Uint8Array {
  return CommandMessage.encode(commandBody(command)).finish();
}

/** Decodes a command; undefined where the bytes are none. */
export function decodeCommand(data: Uint8Array): Command | undefined {
  let message: sohu.v1.Command;
  try {
    message = CommandMessage.decode(data);
  } catch {
    return undefined;
  }
  if (message.join) {
    const spec = message.join.spec && decodeGroupSpec(message.join.spec);
    const { epoch, seats } = message.join;
    return spec ? { kind: 'join', epoch: epoch ?? 0, spec, seats: seats ?? [] } : undefined;
  }
  if (message.heartbeat) return { kind: 'heartbeat', epoch: message.heartbeat.epoch ?? 0 };
  if (message.step) return stepOf(message.step);
  if (message.logits) {
    const { epoch, step, samples } = message.logits;
    return { kind: 'logits', epoch: epoch ?? 0, step: step ?? 0, samples: samples ?? [] };
  }
  return undefined;
}

function commandBody(command: Command): sohu.v1.Command.$Properties {
  if (command.kind === 'join') {
    const { epoch, spec, seats } = command;
    return { join: { epoch, spec: encodeGroupSpec(spec), seats: [...seats] } };
  }
  if (command.kind === 'heartbeat') return { heartbeat: { epoch: command.epoch } };
  if (command.kind === 'logits') {
    const { epoch, step, samples } = command;
    return { logits: { epoch, step, samples: [...samples] } };
  }
  const { epoch, step, released, traced } = command;
  const sequences = command.sequences.map(sequenceBody);
  return { step: { epoch, step, released: [...released], sequences, traced } };
}

function sequenceBody(sequence: StepSequence): sohu.v1.StepSequence.$Properties {
  const { id, start, sample, count, tokens, blocks, mask, targets, admission } = sequence;
  return {
    id,
    start,
    sample,
    // The wire's types want arrays that may be changed, though nobody does.
    tokens: tokens as number[],
    blocks: blocks as number[],
    count: tokens.length === count ? 0 : count,
    admission: admission === undefined ? null : encodeAdmission(admission),
    mask: mask === undefined ? null : maskBody(mask),
    targets: targets === undefined ? null : { ...targets, tokens: targets.tokens as number[] },
  };
}

function maskBody(mask: TokenMask): sohu.v1.TokenMask.$Properties {
  return mask.kind === 'bits' ? { bits: mask.bits } : { tokens: { tokens: [...mask.tokens] } };
}

function stepOf(message: sohu.v1.StepCommand.$Properties): StepCommand {
  return {
    kind: 'step',
    epoch: message.epoch ?? 0,
    step: message.step ?? 0,
    released: message.released ?? [],
    traced: message.traced ?? false,
    sequences: (message.sequences ?? []).map(sequenceOf),
  };
}

function sequenceOf(message: sohu.v1.StepSequence.$Properties): StepSequence {
  return {
    id: message.id ?? 0,
    count: message.count || (message.tokens ?? []).length,
    tokens: message.tokens ?? [],
    start: message.start ?? 0,
    sample: message.sample ?? false,
    mask: message.mask ? maskOf(message.mask) : undefined,
    targets: message.targets ? targetsOf(message.targets) : undefined,
    blocks: message.blocks ?? [],
    admission: message.admission ? decodeAdmission(message.admission) : undefined,
  };
}

function targetsOf({ start, tokens }: sohu.v1.PromptTargets.$Properties): PromptTargets {
  return { start: start ?? 0, tokens: tokens ?? [] };
}

/** One that says nothing allows nothing, which no chip takes. */
function maskOf({ tokens, bits }: sohu.v1.TokenMask.$Properties): TokenMask {
  if (tokens) return { kind: 'tokens', tokens: tokens.tokens ?? [] };
  return { kind: 'bits', bits: new Uint8Array(bits ?? []) };
}
