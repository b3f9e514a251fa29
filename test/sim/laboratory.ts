import { createKernelMemory, createWasmKernels, MEMORY_BASE } from '../../services/kernels/wasm.ts';
import { Laboratory } from '../../services/sim/world/laboratory.ts';

/** A laboratory whose chips compute in WebAssembly. */
export function makeLaboratory(): Laboratory {
  return new Laboratory({
    base: MEMORY_BASE,
    create: (bytes) => createWasmKernels(createKernelMemory(bytes, { shared: false })),
  });
}
