export type { KvEvent } from '../core/kv/kv-events.ts';
export type { DrawLogprobs, PromptLogprobs, TokenLogprob } from '../core/sampling/drawn-token.ts';
export type { CallOptions } from '../rpc/call-options.ts';
export type {
  BadRequest,
  ErrorDetail,
  ErrorInfo,
  FieldViolation,
  OpaqueDetail,
  QuotaFailure,
  QuotaViolation,
  RetryInfo,
} from '../rpc/error-details.ts';
export type { ServingStatus } from '../rpc/health/health.ts';
export type {
  AcceptedEvent,
  ChipInfo,
  CompleteEvent,
  FinishReason,
  GenerateEvent,
  KvEventBatch,
  ServerInfo,
  Timings,
  TokensEvent,
  Usage,
} from '../rpc/inference-types.ts';
export type { Metadata } from '../rpc/metadata.ts';
export type { RetryPolicy } from '../rpc/retry/retry-policy.ts';
export type { RetryThrottleOptions } from '../rpc/retry/retry-throttle.ts';
export type { RetryOptions } from '../rpc/retry/retrying.ts';
export { type ErrorCode, RpcError } from '../rpc/status.ts';
export type {
  ChipStatus,
  ClusterSnapshot,
  EndedSample,
  EngineLoad,
  EngineRates,
  EngineState,
  MetricsText,
  SequenceStep,
  StepRecord,
} from '../rpc/telemetry-types.ts';
export type { Beam, BeamSearchRequest, BeamSearchResult } from './beam-search.ts';
export type {
  DetokenizeOptions,
  HealthOptions,
  KvEventsOptions,
  SearchOptions,
  SohuClientOptions,
} from './client-options.ts';
export type { Choice, Completion } from './completion.ts';
export type { GenerateRequest } from './request.ts';
export type { ResumeOptions } from './resume-rules.ts';
export type { ServedModel } from './served-model.ts';
export { SohuClient } from './sohu-client.ts';
export type { StructuredOutputs } from './structured-outputs.ts';
export type {
  MetricsOptions,
  ServersOptions,
  TelemetryClient,
  WatchOptions,
} from './telemetry-client.ts';
