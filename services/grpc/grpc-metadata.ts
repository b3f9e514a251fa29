import { Metadata as GrpcMetadata } from '@grpc/grpc-js';
import type { Metadata } from '../rpc/metadata.ts';
import { ATTEMPTS_METADATA } from '../rpc/retry/retrying.ts';

const LEGAL_NAME = /^[0-9a-z_.-]+$/;
const LEGAL_VALUE = /^[ -~]*$/;

/** Names that end so have bytes as values; they travel as base64 where values are text. */
const BINARY_SUFFIX = '-bin';

/** What a client sent, without what belongs to gRPC itself. */
export function fromGrpcMetadata(metadata: GrpcMetadata): Metadata {
  const names = Object.keys(metadata.getMap()).filter(isApplicationName);
  return new Map(names.map((name) => [name, metadata.get(name).map(textOf).join(',')]));
}

/** What HTTP/2 can carry of it. */
export function toGrpcMetadata(metadata: Metadata): GrpcMetadata {
  const result = new GrpcMetadata();
  for (const [name, value] of metadata) {
    const key = name.toLowerCase();
    if (!LEGAL_NAME.test(key) || !LEGAL_VALUE.test(value)) continue;
    result.set(key, key.endsWith(BINARY_SUFFIX) ? Buffer.from(value, 'base64') : value);
  }
  return result;
}

function isApplicationName(name: string): boolean {
  return name === ATTEMPTS_METADATA || !name.startsWith('grpc-');
}

function textOf(value: string | Buffer): string {
  return typeof value === 'string' ? value : value.toString('base64');
}
