import type { Coordinator } from '../../services/cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import { SOHU } from '../../services/core/hardware/chips/sohu.ts';
import { ClusterEngine } from '../../services/runtime/coordinator/cluster-engine.ts';
import { openBundledModel } from './bundled-grammars.ts';
import { MemoryCluster, type MemoryClusterOptions } from './memory-cluster.ts';

const { model: MODEL, tokenizer: TOKENIZER, grammars: GRAMMARS } = openBundledModel();

export interface MemoryEngine {
  readonly engine: ClusterEngine;
  readonly coordinator: Coordinator;
}

/** Puts the bundled model on chips in this process, behind an engine, for the length of `work`. */
export function useMemoryEngine<T>(
  options: Omit<MemoryClusterOptions, 'model' | 'grammars'>,
  work: (serving: MemoryEngine) => Promise<T>,
): Promise<T> {
  let engine: ClusterEngine | undefined;
  const onEvent = (event: CoordinatorEvent): void => {
    engine?.observe(event);
    options.onEvent?.(event);
  };
  const cluster = { ...options, model: MODEL, grammars: GRAMMARS, onEvent };
  return MemoryCluster.use(cluster, ({ host: { coordinator }, config }) => {
    engine = new ClusterEngine({
      coordinator,
      group: {
        ...{ config, tokenizer: TOKENIZER, modelName: 'tinystories-5m', chip: SOHU },
        spec: {
          ...{ precision: 'f32', kvCacheDtype: 'auto' },
          ...{ tensorParallel: options.tp, maxNumSeqs: 64 },
        },
      },
      phantom: undefined,
      grammars: GRAMMARS,
      maxModelLen: config.maxPositions,
      version: '0.0.0',
      observer: { arrived: () => {}, ended: () => {} },
    });
    return work({ engine, coordinator });
  });
}
