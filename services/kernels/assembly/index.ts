export { attention } from './attention';
export { rope, storeKv } from './cache';
export { matmulBf16, matmulF32 } from './matmul';
export { add, quantizeE4M3, rmsNorm, roundBf16, siluMultiply } from './rows';
