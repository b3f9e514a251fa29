import { readFileSync } from 'node:fs';
import { ModelError } from '../core/support/errors.ts';
import type { Kernels, KvFormat } from './kernels.ts';
import { type CompiledModule, type KernelMemory, webAssembly } from './web-assembly.ts';

export type { KernelMemory } from './web-assembly.ts';

/** The first address that callers may use; the module keeps what lies below for itself. */
export const MEMORY_BASE = 65536;

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
const KV_FORMAT_CODES: Readonly<Record<KvFormat, number>> = { f32: 0, bf16: 1, fp8: 2 };

/** The module's functions: plain numbers, in the order of the assembly's parameters. */
type KernelExports = Readonly<
  Record<
    | 'matmulF32'
    | 'matmulBf16'
    | 'quantizeE4M3'
    | 'roundBf16'
    | 'rmsNorm'
    | 'rope'
    | 'storeKv'
    | 'attention'
    | 'siluMultiply'
    | 'add',
    (...args: number[]) => void
  >
>;

/**
 * A zeroed memory that threads can share, of the whole pages that `bytes` (counted from address 0)
 * need.
 */
export function createKernelMemory(bytes: number): KernelMemory {
  const pages = Math.max(Math.ceil(bytes / PAGE_BYTES), MEMORY_BASE / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    throw new ModelError(
      `a chip's memory of ${bytes} bytes is too large: at most ${MAX_PAGES * PAGE_BYTES} bytes can be addressed; use a higher tensor-parallel degree or fewer KV blocks`,
    );
  }
  return new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

let compiled: CompiledModule | undefined;

/** The kernels in WebAssembly on a shared memory; each thread makes its own on the same memory. */
export function createWasmKernels(memory: KernelMemory): Kernels {
  compiled ??= new webAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)));
  const instance = new webAssembly.Instance(compiled, { env: { memory } });
  return bindKernels(memory.buffer, instance.exports as KernelExports);
}

function bindKernels(memory: SharedArrayBuffer, wasm: KernelExports): Kernels {
  return {
    memory,
    ...bindRowKernels(wasm),
    ...bindCacheKernels(wasm),
    matmul(a) {
      const matmul = a.format === 'f32' ? wasm.matmulF32 : wasm.matmulBf16;
      const scales = [a.rowScales, a.columnScales] as const;
      matmul(a.rows, a.inner, a.columns, a.x, a.xStride, a.weights, a.out, a.outStride, ...scales);
    },
  };
}

type RowKernels = Pick<
  Kernels,
  'quantizeE4M3' | 'roundBf16' | 'rmsNorm' | 'siluMultiply' | 'add' | 'rope'
>;

function bindRowKernels(wasm: KernelExports): RowKernels {
  return {
    quantizeE4M3: (a) =>
      wasm.quantizeE4M3(a.rows, a.n, a.x, a.xStride, a.out, a.outStride, a.scales),
    roundBf16: (a) => wasm.roundBf16(a.rows, a.n, a.x, a.xStride, a.out, a.outStride),
    rmsNorm: (a) =>
      wasm.rmsNorm(a.rows, a.n, a.x, a.xStride, a.out, a.outStride, a.weight, a.epsilon),
    rope: (a) => wasm.rope(a.rows, a.heads, a.headDim, a.x, a.xStride, a.positions, a.cos, a.sin),
    siluMultiply: (a) => wasm.siluMultiply(a.rows, a.n, a.gate, a.up, a.stride, a.out, a.outStride),
    add: (a) => wasm.add(a.count, a.a, a.b, a.out),
  };
}

function bindCacheKernels(wasm: KernelExports): Pick<Kernels, 'storeKv' | 'attention'> {
  return {
    storeKv(a) {
      const cache = [a.keys, a.values, a.kvHeads, a.headDim, a.blockSize] as const;
      wasm.storeKv(a.rows, a.k, a.v, a.stride, a.slots, KV_FORMAT_CODES[a.format], ...cache);
    },
    attention(a) {
      const cache = [a.keys, a.values, a.kvHeads, a.headDim, a.blockSize] as const;
      const out = [a.scores, a.out, a.outStride] as const;
      wasm.attention(
        ...([a.rows, a.heads, a.q, a.qStride, a.headMap, a.lengths, a.tables, a.scale] as const),
        ...out,
        ...cache,
      );
    },
  };
}
