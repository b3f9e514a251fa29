import { addLanes, exp, FLOAT_BYTES, maxLane, VECTOR_BYTES } from './simd';

export function attention(
  rows: i32,
  heads: i32,
  q: usize,
  qStride: i32,
  headMap: usize,
  lengths: usize,
  tables: usize,
  scale: f32,
  scores: usize,
  out: usize,
  outStride: i32,
  keys: usize,
  values: usize,
  kvHeads: i32,
  headDim: i32,
  blockSize: i32,
): void {
  const headBytes: usize = headDim * FLOAT_BYTES;
  const headBlockBytes: usize = headBytes * blockSize;
  const blockBytes: usize = headBlockBytes * kvHeads;
  for (let row = 0; row < rows; row++) {
    const length = load<i32>(lengths + row * FLOAT_BYTES);
    const table = <usize>load<u32>(tables + row * FLOAT_BYTES);
    for (let head = 0; head < heads; head++) {
      const start = load<i32>(headMap + head * FLOAT_BYTES) * headBlockBytes;
      const query = q + <usize>row * qStride * FLOAT_BYTES + head * headBytes;
      const target = out + <usize>row * outStride * FLOAT_BYTES + head * headBytes;
      scoreKeys(
        query,
        headBytes,
        keys + start,
        blockBytes,
        blockSize,
        table,
        length,
        scale,
        scores,
      );
      const denominator = softmaxWeights(scores, length);
      mixValues(
        target,
        headBytes,
        values + start,
        blockBytes,
        blockSize,
        table,
        length,
        scores,
        denominator,
      );
    }
  }
}

/** Scores of all keys, in whole vectors: lanes past the last key hold anything. */
function scoreKeys(
  q: usize,
  headBytes: usize,
  keys: usize,
  blockBytes: usize,
  blockSize: i32,
  table: usize,
  length: i32,
  scale: f32,
  scores: usize,
): void {
  const step: usize = blockSize * FLOAT_BYTES;
  const wide = (blockSize & 15) == 0;
  for (let first = 0; first < length; first += blockSize) {
    let key = keys + load<i32>(table) * blockBytes;
    let left = min(blockSize, length - first);
    for (; wide && left > 8; left -= 16) {
      score16(q, headBytes, key, step, scale, scores);
      key += 64;
      scores += 64;
    }
    for (; left > 0; left -= 4) {
      score4(q, headBytes, key, step, scale, scores);
      key += VECTOR_BYTES;
      scores += VECTOR_BYTES;
    }
    table += FLOAT_BYTES;
  }
}

// @ts-ignore: decorator
@inline
function score16(
  q: usize,
  headBytes: usize,
  key: usize,
  step: usize,
  scale: f32,
  scores: usize,
): void {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  const end = q + headBytes;
  for (; q < end; q += FLOAT_BYTES) {
    const element = v128.load32_splat(q);
    s0 = f32x4.add(s0, f32x4.mul(element, v128.load(key)));
    s1 = f32x4.add(s1, f32x4.mul(element, v128.load(key, 16)));
    s2 = f32x4.add(s2, f32x4.mul(element, v128.load(key, 32)));
    s3 = f32x4.add(s3, f32x4.mul(element, v128.load(key, 48)));
    key += step;
  }
  const factor = f32x4.splat(scale);
  v128.store(scores, f32x4.mul(s0, factor));
  v128.store(scores, f32x4.mul(s1, factor), 16);
  v128.store(scores, f32x4.mul(s2, factor), 32);
  v128.store(scores, f32x4.mul(s3, factor), 48);
}

// @ts-ignore: decorator
@inline
function score4(
  q: usize,
  headBytes: usize,
  key: usize,
  step: usize,
  scale: f32,
  scores: usize,
): void {
  let sum = f32x4.splat(0);
  const end = q + headBytes;
  for (; q < end; q += FLOAT_BYTES) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(q), v128.load(key)));
    key += step;
  }
  v128.store(scores, f32x4.mul(sum, f32x4.splat(scale)));
}

/** Turns scores into exp(score − maximum) in place and returns their sum. */
function softmaxWeights(scores: usize, length: i32): f32 {
  // Lanes past the last key weigh nothing.
  for (let j = length; j & 3; j++) store<f32>(scores + j * FLOAT_BYTES, -Infinity);
  const end = scores + ((length + 3) & ~3) * FLOAT_BYTES;
  let maximum = f32x4.splat(-Infinity);
  for (let at = scores; at < end; at += VECTOR_BYTES) {
    maximum = f32x4.pmax(maximum, v128.load(at));
  }
  maximum = f32x4.splat(maxLane(maximum));
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += VECTOR_BYTES) {
    const weight = exp(f32x4.sub(v128.load(at), maximum));
    v128.store(at, weight);
    sum = f32x4.add(sum, weight);
  }
  return addLanes(sum);
}

/** The weighted mean of all values, in tiles of the head's elements. */
function mixValues(
  out: usize,
  headBytes: usize,
  values: usize,
  blockBytes: usize,
  blockSize: i32,
  table: usize,
  length: i32,
  weights: usize,
  denominator: f32,
): void {
  const divisor = f32x4.splat(denominator);
  let i: usize = 0;
  for (; i + 128 <= headBytes; i += 128) {
    mix32(out + i, headBytes, values + i, blockBytes, blockSize, table, length, weights, divisor);
  }
  for (; i + 64 <= headBytes; i += 64) {
    mix16(out + i, headBytes, values + i, blockBytes, blockSize, table, length, weights, divisor);
  }
  for (; i < headBytes; i += VECTOR_BYTES) {
    mix4(out + i, headBytes, values + i, blockBytes, blockSize, table, length, weights, divisor);
  }
}

function mix32(
  out: usize,
  headBytes: usize,
  values: usize,
  blockBytes: usize,
  blockSize: i32,
  table: usize,
  length: i32,
  weights: usize,
  divisor: v128,
): void {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  let s4 = f32x4.splat(0);
  let s5 = f32x4.splat(0);
  let s6 = f32x4.splat(0);
  let s7 = f32x4.splat(0);
  for (let left = length; left > 0; left -= blockSize) {
    let value = values + load<i32>(table) * blockBytes;
    const end = weights + min(left, blockSize) * FLOAT_BYTES;
    for (; weights < end; weights += FLOAT_BYTES) {
      const weight = v128.load32_splat(weights);
      s0 = f32x4.add(s0, f32x4.mul(weight, v128.load(value)));
      s1 = f32x4.add(s1, f32x4.mul(weight, v128.load(value, 16)));
      s2 = f32x4.add(s2, f32x4.mul(weight, v128.load(value, 32)));
      s3 = f32x4.add(s3, f32x4.mul(weight, v128.load(value, 48)));
      s4 = f32x4.add(s4, f32x4.mul(weight, v128.load(value, 64)));
      s5 = f32x4.add(s5, f32x4.mul(weight, v128.load(value, 80)));
      s6 = f32x4.add(s6, f32x4.mul(weight, v128.load(value, 96)));
      s7 = f32x4.add(s7, f32x4.mul(weight, v128.load(value, 112)));
      value += headBytes;
    }
    table += FLOAT_BYTES;
  }
  v128.store(out, f32x4.div(s0, divisor));
  v128.store(out, f32x4.div(s1, divisor), 16);
  v128.store(out, f32x4.div(s2, divisor), 32);
  v128.store(out, f32x4.div(s3, divisor), 48);
  v128.store(out, f32x4.div(s4, divisor), 64);
  v128.store(out, f32x4.div(s5, divisor), 80);
  v128.store(out, f32x4.div(s6, divisor), 96);
  v128.store(out, f32x4.div(s7, divisor), 112);
}

function mix16(
  out: usize,
  headBytes: usize,
  values: usize,
  blockBytes: usize,
  blockSize: i32,
  table: usize,
  length: i32,
  weights: usize,
  divisor: v128,
): void {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  for (let left = length; left > 0; left -= blockSize) {
    let value = values + load<i32>(table) * blockBytes;
    const end = weights + min(left, blockSize) * FLOAT_BYTES;
    for (; weights < end; weights += FLOAT_BYTES) {
      const weight = v128.load32_splat(weights);
      s0 = f32x4.add(s0, f32x4.mul(weight, v128.load(value)));
      s1 = f32x4.add(s1, f32x4.mul(weight, v128.load(value, 16)));
      s2 = f32x4.add(s2, f32x4.mul(weight, v128.load(value, 32)));
      s3 = f32x4.add(s3, f32x4.mul(weight, v128.load(value, 48)));
      value += headBytes;
    }
    table += FLOAT_BYTES;
  }
  v128.store(out, f32x4.div(s0, divisor));
  v128.store(out, f32x4.div(s1, divisor), 16);
  v128.store(out, f32x4.div(s2, divisor), 32);
  v128.store(out, f32x4.div(s3, divisor), 48);
}

function mix4(
  out: usize,
  headBytes: usize,
  values: usize,
  blockBytes: usize,
  blockSize: i32,
  table: usize,
  length: i32,
  weights: usize,
  divisor: v128,
): void {
  let sum = f32x4.splat(0);
  for (let left = length; left > 0; left -= blockSize) {
    let value = values + load<i32>(table) * blockBytes;
    const end = weights + min(left, blockSize) * FLOAT_BYTES;
    for (; weights < end; weights += FLOAT_BYTES) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights), v128.load(value)));
      value += headBytes;
    }
    table += FLOAT_BYTES;
  }
  v128.store(out, f32x4.div(sum, divisor));
}
