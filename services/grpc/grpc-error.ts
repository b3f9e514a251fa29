import type { ServerErrorResponse } from '@grpc/grpc-js';
import { google } from '#proto';
import type { Metadata } from '../rpc/metadata.ts';
import { type RpcError, STATUS_NUMBERS } from '../rpc/status.ts';
import { statusFields } from '../rpc/status-codec.ts';
import { toGrpcMetadata } from './grpc-metadata.ts';

/** Where gRPC carries a google.rpc.Status with its details. */
const DETAILS_TRAILER = 'grpc-status-details-bin';

/** How a call ends in gRPC that failed: code, message, trailers, and the details as a trailer. */
export function toGrpcError(error: RpcError, trailers: Metadata): ServerErrorResponse {
  const { code, message, details, name } = error;
  const metadata = toGrpcMetadata(trailers);
  if (details.length > 0) {
    const status = google.rpc.Status.encode(statusFields({ code, message, details })).finish();
    metadata.set(DETAILS_TRAILER, Buffer.from(status));
  }
  return { name, message, code: STATUS_NUMBERS[code], details: message, metadata };
}
