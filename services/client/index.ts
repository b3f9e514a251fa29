export type {
  AcceptedEvent,
  ChipInfo,
  CompleteEvent,
  FinishReason,
  GenerateEvent,
  ServerInfo,
  Timings,
  TokensEvent,
  Usage,
} from '../rpc/inference-types.ts';
export { type ErrorCode, RpcError } from '../rpc/status.ts';
export type { Completion } from './completion.ts';
export type { GenerateRequest } from './request.ts';
export { type GenerateOptions, SohuClient, type SohuClientOptions } from './sohu-client.ts';
