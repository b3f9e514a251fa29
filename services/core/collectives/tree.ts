import { assert } from '../support/errors.ts';

/**
 * target[i] = target[i] + tree(parts)[i] in f32, where the tree is ((0+1)+(2+3))+((4+5)+(6+7)): the
 * residual comes after the reduction, whatever the number of chips that its leaves lie on.
 */
export function accumulateTree(parts: readonly Float32Array[], target: Float32Array): void {
  if (parts.length === 1) accumulateOne(parts[0]!, target);
  else if (parts.length === 2) accumulateTwo(parts, target);
  else if (parts.length === 4) accumulateFour(parts, target);
  else {
    assert(parts.length === 8, 'a group has 1, 2, 4 or 8 chips');
    accumulateEight(parts, target);
  }
}

function accumulateOne(part: Float32Array, target: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + part[i]!;
}

function accumulateTwo(parts: readonly Float32Array[], target: Float32Array): void {
  const [a, b] = parts as [Float32Array, Float32Array];
  for (let i = 0; i < target.length; i++) {
    target[i] = target[i]! + Math.fround(a[i]! + b[i]!);
  }
}

function accumulateFour(parts: readonly Float32Array[], target: Float32Array): void {
  const [a, b, c, d] = parts as [Float32Array, Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < target.length; i++) {
    const left = Math.fround(a[i]! + b[i]!);
    const right = Math.fround(c[i]! + d[i]!);
    target[i] = target[i]! + Math.fround(left + right);
  }
}

function accumulateEight(parts: readonly Float32Array[], target: Float32Array): void {
  const [a, b, c, d] = parts as [Float32Array, Float32Array, Float32Array, Float32Array];
  const [e, f, g, h] = parts.slice(4) as [Float32Array, Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < target.length; i++) {
    const left = Math.fround(Math.fround(a[i]! + b[i]!) + Math.fround(c[i]! + d[i]!));
    const right = Math.fround(Math.fround(e[i]! + f[i]!) + Math.fround(g[i]! + h[i]!));
    target[i] = target[i]! + Math.fround(left + right);
  }
}
