/**
 * The arithmetic of one chip. Two implementations, equal bit for bit: `reference.ts` (the
 * specification, plain TypeScript) and `wasm.ts` (AssemblyScript with SIMD). Every operand is an
 * address: a byte offset, divisible by 16, into `memory`. Sizes and strides count elements, not
 * bytes. Rows are independent: no result depends on another row.
 */
export interface Kernels {
  readonly memory: ArrayBufferLike;

  /**
   * out[r, c] = Σ x[r, k] · w[k, c], summed sequentially in f32 from +0 over k = 0 … inner−1.
   * With scales (address 0 = none): out[r, c] = (sum · rowScales[r]) · columnScales[c].
   */
  matmul(args: MatmulArgs): void;

  /**
   * Per row: scale = max|x| / 448 (1 where that is 0), out = E4M3(x / scale) as f32, saturating,
   * ties to even.
   */
  quantizeE4M3(args: RowsArgs & { readonly scales: number }): void;

  /** out = bf16(x) as f32, ties to even. */
  roundBf16(args: RowsArgs): void;

  /**
   * out = (x · (1 / √(Σx²/n + ε))) · weight. Σx² in 16 lanes (lane = index mod 16, sequential
   * within a lane), lanes added as four vectors (v0+v1)+(v2+v3), then (l0+l1)+(l2+l3).
   */
  rmsNorm(args: RowsArgs & { readonly weight: number; readonly epsilon: number }): void;

  /**
   * Rotates every head of every row in place (rotate-half: pairs i and i + headDim/2) by its row's
   * position.
   */
  rope(args: RopeArgs): void;

  /**
   * Writes a row's keys and values into its slot of the paged cache, rounded to the cache's format.
   */
  storeKv(args: StoreKvArgs): void;

  /** Causal attention of every row and query head over the paged cache; see AttentionArgs. */
  attention(args: AttentionArgs): void;

  /** out = (gate / (1 + exp(−gate))) · up. */
  siluMultiply(args: SiluMultiplyArgs): void;

  /** out[i] = a[i] + b[i] for i < count; out may be a or b. */
  add(args: AddArgs): void;
}

/** How packed weights are stored: `bf16` also holds E4M3 values, which it represents exactly. */
export type WeightFormat = 'f32' | 'bf16';

/** How keys and values are rounded when stored; the cache itself always holds f32. */
export type KvFormat = 'f32' | 'bf16' | 'fp8';

export interface MatmulArgs {
  readonly rows: number;
  readonly inner: number;
  /** Outputs; a multiple of PANEL_WIDTH (packing pads with zero columns). */
  readonly columns: number;
  readonly x: number; // f32 [rows, inner], row stride xStride
  readonly xStride: number;
  readonly weights: number; // packed by packPanels
  readonly format: WeightFormat;
  readonly out: number; // f32 [rows, columns], row stride outStride
  readonly outStride: number;
  readonly rowScales: number; // f32 [rows] or 0
  readonly columnScales: number; // f32 [columns] or 0
}

export interface RowsArgs {
  readonly rows: number;
  readonly n: number;
  readonly x: number; // f32 [rows, n], row stride xStride
  readonly xStride: number;
  readonly out: number; // f32 [rows, n], row stride outStride; may be x where the strides are equal
  readonly outStride: number;
}

export interface RopeArgs {
  readonly rows: number;
  readonly heads: number;
  readonly headDim: number; // a multiple of 4
  readonly x: number; // f32 [rows, heads, headDim], row stride xStride
  readonly xStride: number;
  readonly positions: number; // i32 [rows]
  readonly cos: number; // f32 [maxPositions, headDim / 2]
  readonly sin: number; // f32 [maxPositions, headDim / 2]
}

/**
 * The paged cache of one layer: keys f32 [block, kvHead, headDim, blockSize], values f32 [block,
 * kvHead, blockSize, headDim].
 */
export interface KvCacheArgs {
  readonly keys: number;
  readonly values: number;
  readonly kvHeads: number;
  readonly headDim: number; // a multiple of 4
  readonly blockSize: number; // a multiple of 4
}

export interface StoreKvArgs extends KvCacheArgs {
  readonly rows: number;
  readonly k: number; // f32 [rows, kvHeads, headDim], row stride stride
  readonly v: number; // f32 [rows, kvHeads, headDim], row stride stride
  readonly stride: number;
  readonly slots: number; // i32 [rows]: block × blockSize + offset in the block
  readonly format: KvFormat; // fp8: one scale per row and head, max|x| / 448; stored = E4M3(x / scale) · scale
}

/**
 * For each row r and query head h, over the keys j = 0 … lengths[r]−1 of its block table: score[j]
 * = (Σ q[i] · k[j][i], sequential over i, in f32) · scale; m = the exact maximum; p[j] =
 * exp(score[j] − m); denominator in 4 lanes (lane = j mod 4, sequential within a lane), then
 * (l0+l1)+(l2+l3); out[i] = (Σ p[j] · v[j][i], sequential over j from +0) / denominator. Neither
 * the block size nor the other rows change a bit of it.
 */
export interface AttentionArgs extends KvCacheArgs {
  readonly rows: number;
  readonly heads: number;
  readonly q: number; // f32 [rows, heads, headDim], row stride qStride
  readonly qStride: number;
  readonly headMap: number; // i32 [heads]: the local KV head of each local query head
  readonly lengths: number; // i32 [rows]
  readonly tables: number; // i32 [rows]: address of the row's block table, i32 [blocks]
  readonly scale: number; // f32 1 / √headDim
  readonly scores: number; // f32 scratch [longest context rounded up to a multiple of blockSize]
  readonly out: number; // f32 [rows, heads, headDim], row stride outStride
  readonly outStride: number;
}

export interface SiluMultiplyArgs {
  readonly rows: number;
  readonly n: number;
  readonly gate: number; // f32 [rows, n], row stride stride
  readonly up: number; // f32 [rows, n], row stride stride
  readonly stride: number;
  readonly out: number; // f32 [rows, n], row stride outStride
  readonly outStride: number;
}

export interface AddArgs {
  readonly count: number;
  readonly a: number;
  readonly b: number;
  readonly out: number;
}
