import { UNSHARED_WASM } from '../../services/kernels/wasm.ts';
import { Laboratory } from '../../services/sim/world/laboratory.ts';

/** A laboratory whose chips compute in WebAssembly. */
export function makeLaboratory(): Laboratory {
  return new Laboratory(UNSHARED_WASM);
}
