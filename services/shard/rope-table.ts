import type { ModelConfig } from '../core/model/config.ts';
import { cosF64, powF64, sinF64 } from '../core/support/math.ts';

/** Rotary angles' cosines and sines, each f32 [maxPositions, headDim / 2]. */
export interface RopeTable {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * Fills the rotary table of a model; angles are f32 products as in Hugging Face transformers and
 * llama2.c.
 */
export function fillRopeTable(config: ModelConfig, table: RopeTable): void {
  const frequencies = ropeFrequencies(config);
  const half = frequencies.length;
  for (let position = 0; position < config.maxPositions; position++) {
    for (let pair = 0; pair < half; pair++) {
      const angle = Math.fround(position * frequencies[pair]!);
      table.cos[position * half + pair] = cosF64(angle);
      table.sin[position * half + pair] = sinF64(angle);
    }
  }
}

/** The angle per position of each pair of a head's dimensions: f32 [headDim / 2]. */
export function ropeFrequencies(config: ModelConfig): Float32Array {
  const frequencies = new Float32Array(config.headDim / 2);
  for (let pair = 0; pair < frequencies.length; pair++) {
    const base = Math.fround(powF64(config.ropeTheta, Math.fround((2 * pair) / config.headDim)));
    frequencies[pair] = scaleFrequency(config, Math.fround(1 / base));
  }
  return frequencies;
}

/**
 * Llama 3's scaling (Hugging Face `rope_type: llama3`): long waves slowed by the factor, short
 * kept, a ramp between.
 */
function scaleFrequency(config: ModelConfig, frequency: number): number {
  const scaling = config.ropeScaling;
  if (scaling === undefined) return frequency;
  const waves = (scaling.originalMaxPositions * frequency) / (2 * Math.PI);
  if (waves < scaling.lowFrequencyFactor) return frequency / scaling.factor;
  if (waves > scaling.highFrequencyFactor) return frequency;
  const ramp =
    (waves - scaling.lowFrequencyFactor) /
    (scaling.highFrequencyFactor - scaling.lowFrequencyFactor);
  return ((1 - ramp) * frequency) / scaling.factor + ramp * frequency;
}
