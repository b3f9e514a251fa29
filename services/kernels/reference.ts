import type { Kernels } from './kernels.ts';
import { attention } from './reference/attention.ts';
import { rope, storeKv } from './reference/cache.ts';
import { matmul } from './reference/matmul.ts';
import { add, quantizeE4M3, rmsNorm, roundBf16, siluMultiply } from './reference/rows.ts';
import { viewMemory } from './reference/views.ts';

/**
 * The kernels' specification: plain loops that round every operation to f32, in the order that
 * kernels.ts states.
 */
export function createReferenceKernels(memory: ArrayBufferLike): Kernels {
  const views = viewMemory(memory);
  return {
    memory,
    matmul: (args) => matmul(views, args),
    quantizeE4M3: (args) => quantizeE4M3(views, args),
    roundBf16: (args) => roundBf16(views, args),
    rmsNorm: (args) => rmsNorm(views, args),
    rope: (args) => rope(views, args),
    storeKv: (args) => storeKv(views, args),
    attention: (args) => attention(views, args),
    siluMultiply: (args) => siluMultiply(views, args),
    add: (args) => add(views, args),
  };
}
