import { once } from 'node:events';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

/** A message as a client without types sees it. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the .proto files say.
export type Message = any;

type Options = { readonly deadline?: number };
type Callback = (error: ServiceError | null, response: Message) => void;

/** What a client that was made from .proto files alone has. */
export interface DynamicClient {
  close(): void;
  readonly Generate: (
    request: Message,
    metadata?: Metadata,
    options?: Options,
  ) => ClientReadableStream<Message>;
  readonly Watch: (request: Message) => ClientReadableStream<Message>;
  readonly SubscribeKvEvents: (request: Message) => ClientReadableStream<Message>;
  readonly ServerReflectionInfo: () => ClientDuplexStream<Message, Message>;
  readonly [unary: string]: (request: Message, ...rest: readonly Message[]) => Message;
}

const LOAD_OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
const FILES = [
  'sohu/v1/inference.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'google/rpc/status.proto',
  'google/rpc/error_details.proto',
];

/** The services of the .proto files, as another library reads them. */
export function loadProtos(): PackageDefinition {
  return loadSync(FILES, { ...LOAD_OPTIONS, includeDirs: ['proto'] });
}

/** A client of one service at `host:port`. */
export function dynamicClient(
  definition: PackageDefinition,
  service: string,
  address: string,
): DynamicClient {
  let found: GrpcObject | ServiceClientConstructor = loadPackageDefinition(definition);
  for (const part of service.split('.')) found = (found as GrpcObject)[part] as GrpcObject;
  const Client = found as unknown as ServiceClientConstructor;
  return new Client(address, credentials.createInsecure()) as unknown as DynamicClient;
}

/** Calls a unary method. */
export function ask(
  client: DynamicClient,
  method: string,
  request: Message,
  metadata: Metadata = new Metadata(),
): Promise<Message> {
  return new Promise((resolve, reject) => {
    const answer: Callback = (error, response) => (error ? reject(error) : resolve(response));
    client[method]!(request, metadata, answer);
  });
}

/** Every message of a stream; rejects with its error. */
export async function collect(stream: ClientReadableStream<Message>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** One question, and the answer to it. */
export async function question(
  stream: ClientDuplexStream<Message, Message>,
  request: Message,
): Promise<Message> {
  const answer = once(stream, 'data');
  stream.write(request);
  return (await answer)[0];
}
