export type { KvEvent } from '../core/kv/kv-events.ts';
export type { DrawLogprobs, TokenLogprob } from '../core/sampling/drawn-token.ts';
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
export { type ErrorCode, RpcError } from '../rpc/status.ts';
export type { Beam, BeamSearchRequest, BeamSearchResult } from './beam-search.ts';
export type { Choice, Completion } from './completion.ts';
export type { GenerateRequest } from './request.ts';
export {
  type DetokenizeOptions,
  type GenerateOptions,
  type KvEventsOptions,
  SohuClient,
  type SohuClientOptions,
} from './sohu-client.ts';
