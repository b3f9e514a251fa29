import { connect, createInbox, Events, type Msg, type NatsConnection, NatsError } from 'nats';
import { BrokerError } from './broker-error.ts';
import type {
  Bus,
  BusMessage,
  BusStatus,
  PublishOptions,
  SubscribeOptions,
  Subscription,
} from './bus.ts';
import { type NatsIdentity, readNatsIdentity } from './nats-identity.ts';
import { runHandler } from './run-handler.ts';

/** Where the broker is, and how its monitoring pages should call this connection. */
export interface NatsOptions {
  /** One URL, or several with commas between them: those of a cluster of brokers. */
  readonly servers: string;
  readonly name: string;
  /** A file with the seed of the user's nkey; without one the connection is anonymous. */
  readonly nkeyFile?: string | undefined;
  /** How long one attempt to connect may take. */
  readonly timeoutMs?: number;
  /** Keeps the connection's own messages from its own subscriptions. */
  readonly noEcho?: boolean;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
const RECONNECT_WAIT_MS = 50;
const RECONNECT_JITTER_MS = 10;
const PING_INTERVAL_MS = 5_000;

/**
 * Connects to a NATS server and stays connected: it reconnects for ever, and subscribes again each
 * time.
 *
 * The client copies published data at the end of the current turn, so a buffer may be reused after
 * a flush. A subject that the broker's permissions forbid makes the next `flush` reject. Throws an
 * BrokerError that says which address, or which key file, does not do.
 */
export async function connectNats(options: NatsOptions): Promise<Bus> {
  const servers = options.servers.split(',').map((url) => url.trim());
  const identity = options.nkeyFile === undefined ? undefined : readNatsIdentity(options.nkeyFile);
  try {
    const connection = await connect({
      servers,
      name: options.name,
      timeout: options.timeoutMs ?? CONNECT_TIMEOUT_MS,
      noEcho: options.noEcho ?? false,
      // The chips of a group meet at the broker that is named first.
      noRandomize: true,
      noAsyncTraces: true,
      ...identity,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_JITTER_MS,
      pingInterval: PING_INTERVAL_MS,
    });
    return new NatsBus(connection, identity);
  } catch (error) {
    const message = `no connection to the broker at ${servers.join(', ')}: ${describe(error)}`;
    throw new BrokerError(message, { cause: error });
  }
}

class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  readonly #inboxPrefix: string | undefined;
  readonly #listeners: ((status: BusStatus) => void)[] = [];
  readonly #forbidden: ((subject: string) => void)[] = [];
  readonly #flushes = new Set<(error: Error) => void>();
  #lastStatus: BusStatus = 'reconnected';
  #violation: NatsError | undefined;
  #closing: Promise<void> | undefined;

  constructor(connection: NatsConnection, identity: NatsIdentity | undefined) {
    this.#connection = connection;
    this.#inboxPrefix = identity?.inboxPrefix;
    void this.#followStatus();
  }

  publish(subject: string, data: Uint8Array, options?: PublishOptions): void {
    if (this.#closing !== undefined) throw closedError();
    if (options?.replyTo === undefined) this.#connection.publish(subject, data);
    else this.#connection.publish(subject, data, { reply: options.replyTo });
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options?: SubscribeOptions,
  ): Subscription {
    if (this.#closing !== undefined) throw closedError();
    const callback = (error: NatsError | null, message: Msg) => {
      if (error === null) runHandler(handler, new NatsMessage(message));
      else this.#violation ??= error;
    };
    return this.#connection.subscribe(subject, {
      callback,
      ...(options?.queue !== undefined && { queue: options.queue }),
    });
  }

  newInbox(): string {
    return createInbox(this.#inboxPrefix);
  }

  async flush(): Promise<void> {
    if (this.#closing !== undefined) throw closedError();
    await this.#roundTrip();
    // A violation travels as a status, through the client's queues: let them run dry.
    await new Promise((resolve) => setImmediate(resolve));
    const violation = this.#violation;
    if (violation === undefined) return;
    this.#violation = undefined;
    throw new Error(`the broker refused: ${violation.message}`, { cause: violation });
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#listeners.push(listener);
  }

  onForbidden(listener: (subject: string) => void): void {
    this.#forbidden.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#lastStatus === 'reconnected') await this.#flushWithin(CLOSE_TIMEOUT_MS);
    await this.#connection.close();
  }

  async #flushWithin(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    // Whatever happens to the last messages, the connection closes.
    await Promise.race([this.#roundTrip().catch(() => {}), timeout]);
    clearTimeout(timer);
  }

  /**
   * The client forgets a flush that is pending while it is disconnected and closed: reject it here.
   */
  #roundTrip(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        this.#flushes.delete(fail);
        reject(new Error(`the broker was not reached: ${describe(error)}`, { cause: error }));
      };
      this.#flushes.add(fail);
      this.#connection.flush().then(() => {
        this.#flushes.delete(fail);
        resolve();
      }, fail);
    });
  }

  async #followStatus(): Promise<void> {
    void this.#connection.closed().then(() => this.#ended());
    for await (const status of this.#connection.status()) {
      if (status.type === Events.Disconnect) this.#report('disconnected');
      if (status.type === Events.Reconnect) this.#report('reconnected');
      if (status.type === Events.Error) this.#recordViolation(status);
    }
  }

  #recordViolation(status: { permissionContext?: { operation: string; subject: string } }): void {
    const context = status.permissionContext;
    if (context === undefined) return;
    this.#violation ??= new NatsError(
      `Permissions Violation for ${context.operation} to "${context.subject}"`,
      'PERMISSIONS_VIOLATION',
    );
    if (context.operation !== 'publish') return;
    for (const listener of this.#forbidden) listener(context.subject);
  }

  #ended(): void {
    this.#closing ??= Promise.resolve();
    for (const fail of this.#flushes) fail(closedError());
    this.#report('closed');
  }

  /** The client repeats a state for every failed attempt to dial: only changes are reported. */
  #report(status: BusStatus): void {
    if (status === this.#lastStatus) return;
    this.#lastStatus = status;
    for (const listener of this.#listeners) listener(status);
  }
}

/** Decodes subject and reply only when they are asked for; `data` is the client's own view. */
class NatsMessage implements BusMessage {
  readonly #message: Msg;

  constructor(message: Msg) {
    this.#message = message;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get data(): Uint8Array {
    return this.#message.data;
  }

  get replyTo(): string | undefined {
    return this.#message.reply || undefined;
  }
}

function closedError(): Error {
  return new Error('the bus is closed');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
