import type { AccessControl } from './access/access-control.ts';
import type { Engine } from './engine.ts';
import type { EngineWatch } from './engine-watch.ts';
import type { GatewayConfig } from './gateway-config.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { OpenRequests } from './open-requests.ts';
import type { ServedModel } from './served-model.ts';

/** What every route works with. */
export interface GatewayContext {
  readonly engine: Engine;
  readonly watch: EngineWatch;
  readonly model: ServedModel;
  readonly access: AccessControl;
  readonly requests: OpenRequests;
  readonly metrics: GatewayMetrics;
  readonly config: GatewayConfig;
}
