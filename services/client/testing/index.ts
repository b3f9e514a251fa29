export type { Health, ServingStatus } from '../../rpc/health/health.ts';
export type { InferenceEngine } from '../../rpc/inference-service.ts';
export type {
  DetokenizeInput,
  GenerateInput,
  Prompt,
  RequestSampling,
} from '../../rpc/inference-types.ts';
export { StandInCluster } from './stand-in-cluster.ts';
export { type Reply, StandInEngine } from './stand-in-engine.ts';
