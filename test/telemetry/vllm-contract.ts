import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { oneTwoFive } from '../../services/runtime/metrics/vllm-buckets.ts';
import type { Family, Sample } from './exposition.ts';

/** One name of vLLM's, as its source has it. */
interface ContractFamily {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[] | string;
  readonly values?: Readonly<Record<string, readonly string[]>>;
}

interface Contract {
  readonly families: readonly ContractFamily[];
  /** What vLLM has and this server does not, with the reason. */
  readonly absent: Readonly<Record<string, string>>;
}

/** vLLM's series as they were written down, once. */
export const CONTRACT = JSON.parse(
  readFileSync('test/telemetry/vllm-contract.json', 'utf8'),
) as Contract;

/** Holds what a server shows against the contract: names, types, labels, values of labels, buckets. */
export function assertContract(families: ReadonlyMap<string, Family>, maxModelLen: number): void {
  const shown = [...families.keys()].filter((name) => name.startsWith('vllm:')).sort();
  assert.deepEqual(shown, CONTRACT.families.map(({ name }) => name).sort());
  for (const wanted of CONTRACT.families) {
    const { name } = wanted;
    const { type, samples } = families.get(name)!;
    assert.equal(type, wanted.type, name);
    assert.ok(samples.length > 0, name);
    for (const sample of samples)
      assert.deepEqual(labelNames(sample), wanted.labels.toSorted(), name);
    for (const [label, values] of Object.entries(wanted.values ?? {})) {
      assert.deepEqual(samples.map(({ labels }) => labels[label]).sort(), values.toSorted(), name);
    }
    if (wanted.buckets !== undefined) {
      const bounds = typeof wanted.buckets === 'string' ? oneTwoFive(maxModelLen) : wanted.buckets;
      const found = samples.flatMap(({ labels }) => labels.le ?? []).map(toNumber);
      assert.deepEqual(found, [...bounds, Number.POSITIVE_INFINITY], name);
    }
  }
}

function labelNames({ labels }: Sample): string[] {
  return Object.keys(labels)
    .filter((label) => label !== 'le')
    .sort();
}

function toNumber(le: string): number {
  return Number(le.replace('+Inf', 'Infinity'));
}
