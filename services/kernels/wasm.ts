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
 * A zeroed memory of the whole pages that `bytes` (counted from address 0) need. Only a shared one
 * can be posted to other threads; one that is not is cheaper to copy from and to.
 */
export function createKernelMemory(bytes: number, options: { shared: boolean }): KernelMemory {
  const pages = Math.max(Math.ceil(bytes / PAGE_BYTES), MEMORY_BASE / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    throw new ModelError(
      `a chip's memory of ${bytes} bytes is too large: at most ${MAX_PAGES * PAGE_BYTES} bytes can be addressed; use a higher tensor-parallel degree or fewer KV blocks`,
    );
  }
  return new webAssembly.Memory({ initial: pages, maximum: pages, shared: options.shared });
}

/** Makes kernels, each on a new memory of their own that one thread uses. */
export const UNSHARED_WASM = {
  base: MEMORY_BASE,
  create: (bytes: number): Kernels =>
    createWasmKernels(createKernelMemory(bytes, { shared: false })),
} as const;

const compiled = new Map<string, CompiledModule>();

/** The kernels in WebAssembly on a memory; with a shared one, each thread makes its own on it. */
export function createWasmKernels(memory: KernelMemory): Kernels {
  // A module declares whether the memory that it imports is shared; the code is the same.
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const module = compileOnce(shared ? './kernels-threads.wasm' : './kernels.wasm');
  const instance = new webAssembly.Instance(module, { env: { memory } });
  return bindKernels(memory.buffer, instance.exports as KernelExports);
}

function compileOnce(file: string): CompiledModule {
  const known = compiled.get(file);
  if (known !== undefined) return known;
  const module = new webAssembly.Module(readFileSync(new URL(file, import.meta.url)));
  compiled.set(file, module);
  return module;
}

// Arguments are spelled out below: spreading arrays into a call costs more than a small kernel.
function bindKernels(memory: ArrayBufferLike, wasm: KernelExports): Kernels {
  return {
    memory,
    ...bindRowKernels(wasm),
    ...bindCacheKernels(wasm),
    matmul(a) {
      const matmul = a.format === 'f32' ? wasm.matmulF32 : wasm.matmulBf16;
      matmul(
        a.rows,
        a.inner,
        a.columns,
        a.x,
        a.xStride,
        a.weights,
        a.out,
        a.outStride,
        a.rowScales,
        a.columnScales,
      );
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
    storeKv: (a) =>
      wasm.storeKv(
        a.rows,
        a.k,
        a.v,
        a.stride,
        a.slots,
        KV_FORMAT_CODES[a.format],
        a.keys,
        a.values,
        a.kvHeads,
        a.headDim,
        a.blockSize,
      ),
    attention: (a) =>
      wasm.attention(
        a.rows,
        a.heads,
        a.q,
        a.qStride,
        a.headMap,
        a.lengths,
        a.tables,
        a.scale,
        a.scores,
        a.out,
        a.outStride,
        a.keys,
        a.values,
        a.kvHeads,
        a.headDim,
        a.blockSize,
      ),
  };
}
