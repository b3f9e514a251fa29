import type { sohu } from '#proto';
import type { GroupSpec, PhantomSpec } from '../cluster/messages.ts';
import { KV_CACHE_DTYPES, PRECISIONS } from '../core/model/precision.ts';
import { OUTPUT_LENGTHS } from '../core/sampling/output-lengths.ts';

/** What a group serves, as a message. */
export function encodeGroupSpec({
  numGpuBlocksOverride,
  phantom,
  ...spec
}: GroupSpec): sohu.v1.GroupSpec.$Properties {
  return {
    ...spec,
    ...(numGpuBlocksOverride !== undefined && { numGpuBlocksOverride }),
    ...(phantom !== undefined && { phantom: encodePhantom(phantom) }),
  };
}

/** The opposite of `encodeGroupSpec`; undefined where a name is not known. */
export function decodeGroupSpec(message: sohu.v1.GroupSpec.$Properties): GroupSpec | undefined {
  const precision = PRECISIONS.find((name) => name === message.precision);
  const kvCacheDtype = KV_CACHE_DTYPES.find((name) => name === message.kvCacheDtype);
  const phantom = message.phantom ? decodePhantom(message.phantom) : undefined;
  if (precision === undefined || kvCacheDtype === undefined) return undefined;
  if (message.phantom && phantom === undefined) return undefined;
  return {
    model: message.model ?? '',
    precision,
    kvCacheDtype,
    tensorParallel: message.tensorParallel ?? 0,
    blockSize: message.blockSize ?? 0,
    numGpuBlocksOverride: message.numGpuBlocksOverride ?? undefined,
    maxNumBatchedTokens: message.maxNumBatchedTokens ?? 0,
    maxNumSeqs: message.maxNumSeqs ?? 0,
    ...(phantom !== undefined && { phantom }),
  };
}

function encodePhantom({ chip, software, tokens }: PhantomSpec): sohu.v1.PhantomSpec.$Properties {
  const { drawn, stopTokenIds, lengths } = tokens;
  return {
    chip,
    software,
    firstTokenId: drawn.start,
    endTokenId: drawn.end,
    stopTokenIds: [...stopTokenIds],
    outputLengths: lengths.distribution,
    outputTokens: lengths.mean,
  };
}

function decodePhantom(message: sohu.v1.PhantomSpec.$Properties): PhantomSpec | undefined {
  const distribution = OUTPUT_LENGTHS.find((name) => name === message.outputLengths);
  if (distribution === undefined) return undefined;
  return {
    chip: message.chip ?? '',
    software: message.software ?? '',
    tokens: {
      drawn: { start: message.firstTokenId ?? 0, end: message.endTokenId ?? 0 },
      stopTokenIds: message.stopTokenIds ?? [],
      lengths: { distribution, mean: message.outputTokens ?? 0 },
    },
  };
}
