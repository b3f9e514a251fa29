import { FLOAT_BYTES } from './simd';

const PANEL_WIDTH = 8;
const MAX_TILE_ROWS = 5;
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

/** Panel by panel; within one, in row tiles of nearly equal height. Few rows take several panels at once to hide latency. */
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
  if (rows <= 3) {
    for (; panels >= 2; panels -= 2) {
      rowsx2<Weight>(rows, x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
      weights += 2 * panelBytes;
      out += 2 * PANEL_OUT_BYTES;
      columnScales += 2 * columnStep;
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
    if (height == 5) tile5<Weight>(x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else if (height == 4) tile4<Weight>(x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else if (height == 3) tile3<Weight>(x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else if (height == 2) tile2<Weight>(x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    else tile1<Weight>(x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
    rows -= height;
    x += height * xStep;
    out += height * outStep;
    rowScales += height * rowScaleStep;
  }
}

// A tile's height is a constant of each copy, so that unused rows disappear.
function tile5<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  tile<Weight>(5, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
}
function tile4<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  tile<Weight>(4, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
}
function tile3<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  tile<Weight>(3, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
}
function tile2<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  tile<Weight>(2, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
}
function tile1<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  tile<Weight>(1, x, xBytes, xStep, weights, out, outStep, rowScales, columnScales);
}

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
  let a0 = f32x4.splat(0), b0 = f32x4.splat(0);
  let a1 = f32x4.splat(0), b1 = f32x4.splat(0);
  let a2 = f32x4.splat(0), b2 = f32x4.splat(0);
  let a3 = f32x4.splat(0), b3 = f32x4.splat(0);
  let a4 = f32x4.splat(0), b4 = f32x4.splat(0);
  let x0 = x;
  let x1 = x + xStep;
  let x2 = x1 + xStep;
  let x3 = x2 + xStep;
  let x4 = x3 + xStep;
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
    if (height > 4) {
      const e4 = v128.load32_splat(x4);
      a4 = f32x4.add(a4, f32x4.mul(e4, a));
      b4 = f32x4.add(b4, f32x4.mul(e4, b));
      x4 += FLOAT_BYTES;
    }
  }
  storePanel(out, a0, b0, rowScales, columnScales);
  if (height > 1) storePanel(out + outStep, a1, b1, nextRow(rowScales, 1), columnScales);
  if (height > 2) storePanel(out + 2 * outStep, a2, b2, nextRow(rowScales, 2), columnScales);
  if (height > 3) storePanel(out + 3 * outStep, a3, b3, nextRow(rowScales, 3), columnScales);
  if (height > 4) storePanel(out + 4 * outStep, a4, b4, nextRow(rowScales, 4), columnScales);
}

function rowsx2<Weight>(
  rows: i32,
  x: usize,
  xBytes: usize,
  xStep: usize,
  weights: usize,
  panelBytes: usize,
  out: usize,
  outStep: usize,
  rowScales: usize,
  columnScales: usize,
): void {
  if (rows == 3) pair3<Weight>(x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
  else if (rows == 2) pair2<Weight>(x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
  else pair1<Weight>(x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
}

function pair3<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, panelBytes: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  pair<Weight>(3, x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
}
function pair2<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, panelBytes: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  pair<Weight>(2, x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
}
function pair1<Weight>(x: usize, xBytes: usize, xStep: usize, weights: usize, panelBytes: usize, out: usize, outStep: usize, rowScales: usize, columnScales: usize): void {
  pair<Weight>(1, x, xBytes, xStep, weights, panelBytes, out, outStep, rowScales, columnScales);
}

/** One to three rows by two panels. */
// @ts-ignore: decorator
@inline
function pair<Weight>(
  height: i32,
  x: usize,
  xBytes: usize,
  xStep: usize,
  weights: usize,
  panelBytes: usize,
  out: usize,
  outStep: usize,
  rowScales: usize,
  columnScales: usize,
): void {
  let a0 = f32x4.splat(0), b0 = f32x4.splat(0), c0 = f32x4.splat(0), d0 = f32x4.splat(0);
  let a1 = f32x4.splat(0), b1 = f32x4.splat(0), c1 = f32x4.splat(0), d1 = f32x4.splat(0);
  let a2 = f32x4.splat(0), b2 = f32x4.splat(0), c2 = f32x4.splat(0), d2 = f32x4.splat(0);
  let x0 = x;
  let x1 = x + xStep;
  let x2 = x1 + xStep;
  let second = weights + panelBytes;
  for (const end = x + xBytes; x0 < end; ) {
    const raw = v128.load(weights);
    const secondRaw = v128.load(second);
    const e0 = v128.load32_splat(x0);
    const e1 = height > 1 ? v128.load32_splat(x1) : e0;
    const e2 = height > 2 ? v128.load32_splat(x2) : e0;
    const a = lowWeights<Weight>(raw);
    a0 = f32x4.add(a0, f32x4.mul(e0, a));
    if (height > 1) a1 = f32x4.add(a1, f32x4.mul(e1, a));
    if (height > 2) a2 = f32x4.add(a2, f32x4.mul(e2, a));
    const b = highWeights<Weight>(raw, weights);
    b0 = f32x4.add(b0, f32x4.mul(e0, b));
    if (height > 1) b1 = f32x4.add(b1, f32x4.mul(e1, b));
    if (height > 2) b2 = f32x4.add(b2, f32x4.mul(e2, b));
    const c = lowWeights<Weight>(secondRaw);
    c0 = f32x4.add(c0, f32x4.mul(e0, c));
    if (height > 1) c1 = f32x4.add(c1, f32x4.mul(e1, c));
    if (height > 2) c2 = f32x4.add(c2, f32x4.mul(e2, c));
    const d = highWeights<Weight>(secondRaw, second);
    d0 = f32x4.add(d0, f32x4.mul(e0, d));
    if (height > 1) d1 = f32x4.add(d1, f32x4.mul(e1, d));
    if (height > 2) d2 = f32x4.add(d2, f32x4.mul(e2, d));
    weights += PANEL_WIDTH * sizeof<Weight>();
    second += PANEL_WIDTH * sizeof<Weight>();
    x0 += FLOAT_BYTES;
    x1 += FLOAT_BYTES;
    x2 += FLOAT_BYTES;
  }
  const secondScales = columnScales ? columnScales + PANEL_OUT_BYTES : 0;
  storePanel(out, a0, b0, rowScales, columnScales);
  storePanel(out + PANEL_OUT_BYTES, c0, d0, rowScales, secondScales);
  if (height > 1) {
    storePanel(out + outStep, a1, b1, nextRow(rowScales, 1), columnScales);
    storePanel(out + outStep + PANEL_OUT_BYTES, c1, d1, nextRow(rowScales, 1), secondScales);
  }
  if (height > 2) {
    storePanel(out + 2 * outStep, a2, b2, nextRow(rowScales, 2), columnScales);
    storePanel(out + 2 * outStep + PANEL_OUT_BYTES, c2, d2, nextRow(rowScales, 2), secondScales);
  }
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
  let a0 = f32x4.splat(0), b0 = f32x4.splat(0);
  let a1 = f32x4.splat(0), b1 = f32x4.splat(0);
  let a2 = f32x4.splat(0), b2 = f32x4.splat(0);
  let a3 = f32x4.splat(0), b3 = f32x4.splat(0);
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

/** Weights 0 to 3 of the sixteen bytes at a panel's k. */
// @ts-ignore: decorator
@inline
function lowWeights<Weight>(raw: v128): v128 {
  if (sizeof<Weight>() == 4) return raw;
  // A bfloat16 is the upper half of an f32.
  return v128.shuffle<u16>(i32x4.splat(0), raw, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** Weights 4 to 7. */
// @ts-ignore: decorator
@inline
function highWeights<Weight>(raw: v128, address: usize): v128 {
  if (sizeof<Weight>() == 4) return v128.load(address, 16);
  return v128.shuffle<u16>(i32x4.splat(0), raw, 4, 12, 5, 13, 6, 14, 7, 15);
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
