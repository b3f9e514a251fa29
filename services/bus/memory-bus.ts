import type {
  Bus,
  BusMessage,
  BusStatus,
  PublishOptions,
  SubscribeOptions,
  Subscription,
} from './bus.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { runHandler } from './run-handler.ts';
import { type SubjectEntry, SubjectIndex } from './subject-index.ts';

export interface MemoryBrokerOptions {
  /** Runs a task later, in the order given; the default is a microtask. */
  readonly schedule?: (task: () => void) => void;
  /** Deliveries that may wait before `publish` throws. */
  readonly maxPending?: number;
}

export interface MemoryConnectOptions {
  /** Keeps the connection's own messages from its own subscriptions. */
  readonly noEcho?: boolean;
}

const MAX_PENDING = 100_000;

/**
 * A broker inside the process: NATS semantics without a network, delivering in one global order.
 */
export class MemoryBroker {
  readonly #listeners = new SubjectIndex<MemorySubscription>();
  readonly #queue: DeliveryQueue;
  #connections = 0;

  constructor(options: MemoryBrokerOptions = {}) {
    this.#queue = new DeliveryQueue({
      schedule: options.schedule ?? queueMicrotask,
      capacity: options.maxPending ?? MAX_PENDING,
    });
  }

  connect(options: MemoryConnectOptions = {}): Bus {
    this.#connections += 1;
    return new MemoryBus({
      listeners: this.#listeners,
      queue: this.#queue,
      inboxPrefix: `_INBOX.${this.#connections}`,
      noEcho: options.noEcho ?? false,
    });
  }
}

interface MemoryBusOptions {
  readonly listeners: SubjectIndex<MemorySubscription>;
  readonly queue: DeliveryQueue;
  readonly inboxPrefix: string;
  readonly noEcho: boolean;
}

class MemoryBus implements Bus {
  readonly #options: MemoryBusOptions;
  readonly #subscriptions = new Set<MemorySubscription>();
  readonly #statusListeners: ((status: BusStatus) => void)[] = [];
  #inboxes = 0;
  #closing: Promise<void> | undefined;

  constructor(options: MemoryBusOptions) {
    this.#options = options;
  }

  publish(subject: string, data: Uint8Array, options?: PublishOptions): void {
    this.#assertOpen();
    const { listeners, queue, noEcho } = this.#options;
    // A copy, so that the publisher may reuse its buffer at once.
    const message = { subject, data: new Uint8Array(data), replyTo: options?.replyTo };
    const receivers = listeners.match(subject, ({ bus }) => !(noEcho && bus === this));
    if (receivers.length > 0 || message.replyTo === undefined) {
      queue.deliver(receivers.map((receiver) => () => receiver.deliver(message)));
    } else this.#answerForNobody(message.replyTo);
  }

  #answerForNobody(subject: string): void {
    const { listeners, queue } = this.#options;
    const message = { subject, data: new Uint8Array(), replyTo: undefined };
    const receivers = listeners.match(subject, ({ bus }) => bus === this);
    queue.deliver(receivers.map((receiver) => () => receiver.deliver(message)));
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options?: SubscribeOptions,
  ): Subscription {
    this.#assertOpen();
    const queue = options?.queue;
    const subscription = new MemorySubscription({ bus: this, subject, queue, handler });
    this.#options.listeners.add(subscription);
    this.#subscriptions.add(subscription);
    return { unsubscribe: () => this.#unsubscribe(subscription) };
  }

  newInbox(): string {
    this.#inboxes += 1;
    return `${this.#options.inboxPrefix}.${this.#inboxes}`;
  }

  async flush(): Promise<void> {
    this.#assertOpen();
    await this.#options.queue.barrier();
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  /** Never: here everybody may do everything. */
  onForbidden(): void {}

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#options.queue.barrier();
    for (const subscription of this.#subscriptions) this.#unsubscribe(subscription);
    for (const listener of this.#statusListeners) listener('closed');
  }

  #unsubscribe(subscription: MemorySubscription): void {
    subscription.end();
    this.#options.listeners.remove(subscription);
    this.#subscriptions.delete(subscription);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new Error('the bus is closed');
  }
}

interface MemorySubscriptionOptions extends SubjectEntry {
  readonly bus: Bus;
  readonly handler: (message: BusMessage) => void;
}

class MemorySubscription implements SubjectEntry {
  readonly bus: Bus;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly #handler: (message: BusMessage) => void;
  #active = true;

  constructor(options: MemorySubscriptionOptions) {
    this.bus = options.bus;
    this.subject = options.subject;
    this.queue = options.queue;
    this.#handler = options.handler;
  }

  /** What was on its way when the subscription ended is dropped, as the NATS client does. */
  deliver(message: BusMessage): void {
    if (this.#active) runHandler(this.#handler, message);
  }

  end(): void {
    this.#active = false;
  }
}
