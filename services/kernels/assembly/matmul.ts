import { FLOAT_BYTES, VECTOR_BYTES } from './simd';

const PANEL_WIDTH = 8;
const MAX_TILE_ROWS = 4; // what sixteen registers hold without spilling;
const PANEL_OUT_BYTES: usize = PANEL_WIDTH * FLOAT_BYTES;

export function matmulF32(
  rows: i32,
  inner: i32,
  columns: i32,
  x: usize,
  xStride: i32,
  weights: usize,
  out: usize,
  outStride: i32,
  rowScales: usize,
  columnScales: usize,
): void {
  matmul<f32>(rows, inner, columns, x, xStride, weights, out, outStride, rowScales, columnScales);
}

export function matmulBf16(
  rows: i32,
  inner: i32,
  columns: i32,
  x: usize,
  xStride: i32,
  weights: usize,
  out: usize,
  outStride: i32,
  rowScales: usize,
  columnScales: usize,
): void {
  matmul<u16>(rows, inner, columns, x, xStride, weights, out, outStride, rowScales, columnScales);
}

/**
 * Panel by panel; within one, in row tiles of nearly equal height. A single row takes four panels
 * at once to hide latency.
 */
function matmul<Weight>(
  rows: i32,
  inner: i32,
  columns: i32,
  x: usize,
  xStride: i32,
  weights: usize,
  out: usize,
  outStride: i32,
  rowScales: usize,
  columnScales: usize,
): void {
  const xBytes: usize = inner * FLOAT_BYTES;
  const xStep: usize = xStride * FLOAT_BYTES;
  const outStep: usize = outStride * FLOAT_BYTES;
  const panelBytes: usize = <usize>inner * PANEL_WIDTH * sizeof<Weight>();
  const columnStep: usize = columnScales ? PANEL_OUT_BYTES : 0;
  let panels = columns / PANEL_WIDTH;
  if (rows == 1) {
    for (; panels >= 4; panels -= 4) {
      row1x4<Weight>(x, xBytes, weights, panelBytes, out, rowScales, columnScales);
      weights += 4 * panelBytes;
      out += 4 * PANEL_OUT_BYTES;
      columnScales += 4 * columnStep;
    }
  }
  for (; panels > 0; panels--) {
    onePanel<Weight>(rows, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    weights += panelBytes;
    out += PANEL_OUT_BYTES;
    columnScales += columnStep;
  }
}

function onePanel<Weight>(
  rows: i32,
  x: usize,
  xBytes: usize,
  xStep: usize,
  weights: usize,
  out: usize,
  outStep: usize,
  rowScales: usize,
  columnScales: usize,
): void {
  const rowScaleStep: usize = rowScales ? FLOAT_BYTES : 0;
  for (let tiles = (rows + MAX_TILE_ROWS - 1) / MAX_TILE_ROWS; tiles > 0; tiles--) {
    const height = (rows + tiles - 1) / tiles;
    if (height == 4)
      tile<Weight>(4, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else if (height == 3)
      tile<Weight>(3, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else if (height == 2)
      tile<Weight>(2, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else tile<Weight>(1, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    rows -= height;
    x += height * xStep;
    out += height * outStep;
    rowScales += height * rowScaleStep;
  }
}

/**
 * One to four rows by one panel; the height is a constant of each inlined copy, so that unused rows
 * disappear.
 */
// @ts-ignore: decorator
@inline
function tile<Weight>(
  height: i32,
  x: usize,
  xBytes: usize,
  xStep: usize,
  weights: usize,
  out: usize,
  outStep: usize,
  rowScales: usize,
  columnScales: usize,
): void {
  let a0 = f32x4.splat(0),
    b0 = f32x4.splat(0);
  let a1 = f32x4.splat(0),
    b1 = f32x4.splat(0);
  let a2 = f32x4.splat(0),
    b2 = f32x4.splat(0);
  let a3 = f32x4.splat(0),
    b3 = f32x4.splat(0);
  let x0 = x;
  let x1 = x + xStep;
  let x2 = x1 + xStep;
  let x3 = x2 + xStep;
  for (const end = x + xBytes; x0 < end; ) {
    const raw = v128.load(weights);
    const a = lowWeights<Weight>(raw);
    const b = highWeights<Weight>(raw, weights);
    weights += PANEL_WIDTH * sizeof<Weight>();
    const e0 = v128.load32_splat(x0);
    a0 = f32x4.add(a0, f32x4.mul(e0, a));
    b0 = f32x4.add(b0, f32x4.mul(e0, b));
    x0 += FLOAT_BYTES;
    if (height > 1) {
      const e1 = v128.load32_splat(x1);
      a1 = f32x4.add(a1, f32x4.mul(e1, a));
      b1 = f32x4.add(b1, f32x4.mul(e1, b));
      x1 += FLOAT_BYTES;
    }
    if (height > 2) {
      const e2 = v128.load32_splat(x2);
      a2 = f32x4.add(a2, f32x4.mul(e2, a));
      b2 = f32x4.add(b2, f32x4.mul(e2, b));
      x2 += FLOAT_BYTES;
    }
    if (height > 3) {
      const e3 = v128.load32_splat(x3);
      a3 = f32x4.add(a3, f32x4.mul(e3, a));
      b3 = f32x4.add(b3, f32x4.mul(e3, b));
      x3 += FLOAT_BYTES;
    }
  }
  storePanel(out, a0, b0, rowScales, columnScales);
  if (height > 1) storePanel(out + outStep, a1, b1, nextRow(rowScales, 1), columnScales);
  if (height > 2) storePanel(out + 2 * outStep, a2, b2, nextRow(rowScales, 2), columnScales);
  if (height > 3) storePanel(out + 3 * outStep, a3, b3, nextRow(rowScales, 3), columnScales);
}

/** One row by four panels. */
function row1x4<Weight>(
  x: usize,
  xBytes: usize,
  weights: usize,
  panelBytes: usize,
  out: usize,
  rowScales: usize,
  columnScales: usize,
): void {
  let a0 = f32x4.splat(0),
    b0 = f32x4.splat(0);
  let a1 = f32x4.splat(0),
    b1 = f32x4.splat(0);
  let a2 = f32x4.splat(0),
    b2 = f32x4.splat(0);
  let a3 = f32x4.splat(0),
    b3 = f32x4.splat(0);
  let w0 = weights;
  let w1 = w0 + panelBytes;
  let w2 = w1 + panelBytes;
  let w3 = w2 + panelBytes;
  for (const end = x + xBytes; x < end; x += FLOAT_BYTES) {
    const element = v128.load32_splat(x);
    const r0 = v128.load(w0);
    a0 = f32x4.add(a0, f32x4.mul(element, lowWeights<Weight>(r0)));
    b0 = f32x4.add(b0, f32x4.mul(element, highWeights<Weight>(r0, w0)));
    const r1 = v128.load(w1);
    a1 = f32x4.add(a1, f32x4.mul(element, lowWeights<Weight>(r1)));
    b1 = f32x4.add(b1, f32x4.mul(element, highWeights<Weight>(r1, w1)));
    const r2 = v128.load(w2);
    a2 = f32x4.add(a2, f32x4.mul(element, lowWeights<Weight>(r2)));
    b2 = f32x4.add(b2, f32x4.mul(element, highWeights<Weight>(r2, w2)));
    const r3 = v128.load(w3);
    a3 = f32x4.add(a3, f32x4.mul(element, lowWeights<Weight>(r3)));
    b3 = f32x4.add(b3, f32x4.mul(element, highWeights<Weight>(r3, w3)));
    w0 += PANEL_WIDTH * sizeof<Weight>();
    w1 += PANEL_WIDTH * sizeof<Weight>();
    w2 += PANEL_WIDTH * sizeof<Weight>();
    w3 += PANEL_WIDTH * sizeof<Weight>();
  }
  const step: usize = columnScales ? PANEL_OUT_BYTES : 0;
  storePanel(out, a0, b0, rowScales, columnScales);
  storePanel(out + PANEL_OUT_BYTES, a1, b1, rowScales, columnScales + step);
  storePanel(out + 2 * PANEL_OUT_BYTES, a2, b2, rowScales, columnScales + 2 * step);
  storePanel(out + 3 * PANEL_OUT_BYTES, a3, b3, rowScales, columnScales + 3 * step);
}

/**
 * Weights 0 to 3 of a panel's k; a bfloat16 is the upper half of an f32, and columns c and c + 4
 * share a word.
 */
// @ts-ignore: decorator
@inline
function lowWeights<Weight>(raw: v128): v128 {
  return sizeof<Weight>() == 4 ? raw : i32x4.shl(raw, 16);
}

/** Weights 4 to 7. */
// @ts-ignore: decorator
@inline
function highWeights<Weight>(raw: v128, address: usize): v128 {
  if (sizeof<Weight>() == 4) return v128.load(address, VECTOR_BYTES);
  return v128.and(raw, i32x4.splat(0xffff0000));
}

// @ts-ignore: decorator
@inline
function nextRow(rowScales: usize, rows: usize): usize {
  return rowScales ? rowScales + rows * FLOAT_BYTES : 0;
}

// @ts-ignore: decorator
@inline
function storePanel(out: usize, low: v128, high: v128, rowScale: usize, columnScales: usize): void {
  if (rowScale) {
    const factor = v128.load32_splat(rowScale);
    low = f32x4.mul(low, factor);
    high = f32x4.mul(high, factor);
  }
  if (columnScales) {
    low = f32x4.mul(low, v128.load(columnScales));
    high = f32x4.mul(high, v128.load(columnScales, 16));
  }
  v128.store(out, low);
  v128.store(out, high, 16);
}
