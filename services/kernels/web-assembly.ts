/**
 * The part of the WebAssembly JavaScript API that the kernels use; Node's types leave it to the DOM
 * library.
 */
interface WebAssemblyApi {
  readonly Memory: new (descriptor: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: boolean;
  }) => KernelMemory;
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Instance: new (
    module: CompiledModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
}

/** A WebAssembly.Memory; a shared one can be posted to other threads, which see the same bytes. */
export interface KernelMemory {
  readonly buffer: ArrayBufferLike;
}

/** A compiled WebAssembly.Module. */
export type CompiledModule = object;

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi })
  .WebAssembly;
