import type { TestContext } from 'node:test';
import type { Bus } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { RpcClient, type RpcClientOptions } from '../../services/rpc/client.ts';
import type { ServerStreamingMethod, UnaryMethod } from '../../services/rpc/method.ts';
import { RpcServer, type RpcServerOptions } from '../../services/rpc/server.ts';
import { withBroker } from '../support/broker.ts';

export const CLUSTER = 'test';

const text = {
  encodeRequest: (request: string) => Buffer.from(request),
  decodeRequest: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  encodeResponse: (response: string) => Buffer.from(response),
  decodeResponse: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
};

export const STREAM: ServerStreamingMethod<string, string> = {
  ...text,
  kind: 'serverStreaming',
  service: 'Toy',
  method: 'Stream',
};

export const ASK: UnaryMethod<string, string> = {
  ...text,
  kind: 'unary',
  service: 'Toy',
  method: 'Ask',
};

/** Gives connections to one fresh broker, or undefined where the test is skipped. */
export type MakeBroker = (t: TestContext) => Promise<(() => Promise<Bus>) | undefined>;

export const BROKERS: Readonly<Record<string, MakeBroker>> = {
  'the memory broker': async () => {
    const broker = new MemoryBroker();
    return async () => broker.connect();
  },
  'a NATS server': async (t) => {
    const broker = await withBroker(t);
    if (broker === undefined) return undefined;
    return async () => {
      const bus = await connectNats({ servers: broker.url, name: 'rpc test' });
      t.after(() => bus.close());
      return bus;
    };
  },
};

export async function makePair(
  connect: () => Promise<Bus>,
  options: { server?: Partial<RpcServerOptions>; client?: Partial<RpcClientOptions> } = {},
): Promise<{ server: RpcServer; client: RpcClient; serverBus: Bus; clientBus: Bus }> {
  const serverBus = await connect();
  const clientBus = await connect();
  const server = new RpcServer(serverBus, {
    cluster: CLUSTER,
    serverId: 'server-1',
    ...options.server,
  });
  const client = new RpcClient(clientBus, { cluster: CLUSTER, ...options.client });
  return { server, client, serverBus, clientBus };
}

/** "n": the numbers from 0 to n - 1, with the event loop in between. */
export async function* countTo(request: string): AsyncGenerator<string> {
  for (let i = 0; i < Number(request); i += 1) {
    if (i % 7 === 0) await nextTurn();
    yield String(i);
  }
}

/** The numbers for ever, heedless of any signal. */
export async function* countForever(): AsyncGenerator<string> {
  for (let i = 0; ; i += 1) {
    await nextTurn();
    yield String(i);
  }
}

/** Rejects with the signal's reason when it fires. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fire = () => reject(signal.reason);
    if (signal.aborted) fire();
    else signal.addEventListener('abort', fire, { once: true });
  });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export function range(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for a condition, a turn of the event loop at a time. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

/** A bus whose publishes pass through a function that gives what is really published. */
export function tamperedBus(
  bus: Bus,
  tamper: (data: Uint8Array, subject: string) => Uint8Array[],
): Bus {
  return {
    publish: (subject, data, options) => {
      for (const each of tamper(data, subject)) bus.publish(subject, each, options);
    },
    subscribe: (...args) => bus.subscribe(...args),
    newInbox: () => bus.newInbox(),
    flush: () => bus.flush(),
    onStatus: (listener) => bus.onStatus(listener),
    onForbidden: (listener) => bus.onForbidden(listener),
    close: () => bus.close(),
  };
}
