/**
 * A coordinator in a process of its own that offers itself one load, with the metrics or without them, and is
 * otherwise composed as `runCoordinator` does it.
 */
import { Command } from 'commander';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { TokenGrammars } from '../../services/core/grammar/token-grammars.ts';
import { openServedGroup } from '../../services/runtime/cluster/served-group.ts';
import { ClusterEngine } from '../../services/runtime/coordinator/cluster-engine.ts';
import { CoordinatorHost } from '../../services/runtime/coordinator/coordinator-host.ts';
import { schedulerOptions } from '../../services/runtime/coordinator/scheduler-options.ts';
import { LoadGenerator } from '../../services/runtime/load/load-generator.ts';
import {
  addCoordinatorOptions,
  type CoordinatorProcessOptions,
} from '../../services/runtime/options/coordinator-options.ts';
import { drawnWorkload } from '../../services/runtime/options/drawn-workload-options.ts';
import { connectionOf } from '../../services/runtime/options/node-options.ts';
import { resolveServing } from '../../services/runtime/options/resolve-serving.ts';
import { hostMicros } from '../../services/runtime/support/host-clock.ts';
import { EngineMonitor } from '../../services/runtime/telemetry/engine-monitor.ts';
import { planRequests } from '../../services/sim/capacity/workload.ts';

interface Options extends CoordinatorProcessOptions {
  readonly observed?: true;
}

const options = addCoordinatorOptions(new Command('metrics-coordinator'))
  .option('--observed', 'with the metrics')
  .parse()
  .opts<Options>();
const { cluster, group: groupName } = options;
const serving = resolveServing(options);
const group = openServedGroup(serving);
const { vocabSize, stopTokenIds: endTokenIds } = group.config;
const grammars = new TokenGrammars({ tokenizer: group.tokenizer, vocabSize, endTokenIds });
const scheduler = schedulerOptions(serving, group.config);
const { maxModelLen } = scheduler;
const bus = await connectNats({ ...connectionOf(options), name: `${cluster} coordinator` });
const host = new CoordinatorHost({
  ...{ bus, cluster, group: groupName },
  ...{ spec: group.spec, scheduler, pricer: group.pricer, vocabSize, grammars },
  speed: serving.phantom?.speed ?? 0,
  ...{ stepTimeoutMicros: 30e6, patienceMicros: 120e6 },
  onEvent: (event) => {
    monitor?.observe(event);
    engine.observe(event);
    load.observe(event);
  },
});
const { coordinator } = host;
const monitor = options.observed
  ? new EngineMonitor({
      ...{ cluster, group: groupName, modelName: group.modelName, maxModelLen, serving },
      ...{ coordinator, chip: group.chip, kvFormat: group.kvFormat, baselines: group.baselines },
      brokerMonitoringUrls: [],
    })
  : undefined;
const engine = new ClusterEngine({
  ...{ coordinator, group, grammars, maxModelLen, version: '' },
  phantom: serving.phantom,
  observer: monitor ?? { arrived: () => {}, ended: () => {} },
});
const load = new LoadGenerator({
  coordinator,
  requests: planRequests(drawnWorkload(options)),
  nowMicros: hostMicros,
  done: (report) => process.send?.(report),
});
process.once('disconnect', () => process.exit(0));
host.start();
