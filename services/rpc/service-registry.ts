import type { Bus, BusMessage, Subscription } from '../bus/bus.ts';
import type { ServiceReport } from './discovery/service-replies.ts';
import { ServiceResponder } from './discovery/service-responder.ts';
import type { ServedMethod } from './served-method.ts';
import type { ApiSubjects } from './subjects.ts';

export interface ServiceRegistryOptions {
  readonly bus: Bus;
  readonly subjects: ApiSubjects;
  readonly cluster: string;
  readonly serverId: string;
  readonly version: string;
  /** Takes what is published to the subjects of the services. */
  readonly onRequest: (message: BusMessage) => void;
}

interface Service {
  readonly subscriptions: readonly Subscription[];
  readonly responder: ServiceResponder;
}

const QUEUE = 'api';

/** The methods of one server: listens on the subjects of their services and lists them to others. */
export class ServiceRegistry {
  readonly #options: ServiceRegistryOptions;
  readonly #methods = new Map<string, ServedMethod>();
  readonly #services = new Map<string, Service>();
  readonly #started = new Date().toISOString();

  constructor(options: ServiceRegistryOptions) {
    this.#options = options;
  }

  add(served: ServedMethod): void {
    this.#methods.set(served.name, served);
    const { service, addressable } = served.method;
    if (this.#services.has(service)) return;
    const { bus, subjects, serverId, onRequest } = this.#options;
    // The whole service, so that a method it does not have is UNIMPLEMENTED and not silence.
    const methods = `${service}.*`;
    const { identity } = this.#report(service);
    this.#services.set(service, {
      subscriptions: [
        bus.subscribe(subjects.method(methods), onRequest, { queue: QUEUE }),
        ...(addressable ? [bus.subscribe(subjects.method(methods, serverId), onRequest)] : []),
      ],
      responder: new ServiceResponder(bus, identity, () => this.#report(service)),
    });
  }

  /** Listens no more. */
  stop(): void {
    for (const { subscriptions, responder } of this.#services.values()) {
      for (const subscription of subscriptions) subscription.unsubscribe();
      responder.stop();
    }
  }

  /** The method of that name, `<Service>.<Method>`. */
  find(name: string): ServedMethod | undefined {
    return this.#methods.get(name);
  }

  get services(): readonly string[] {
    return [...this.#services.keys()];
  }

  #report(service: string): ServiceReport {
    const { cluster, serverId: id, version, subjects } = this.#options;
    const methods = [...this.#methods.values()].filter(({ method }) => method.service === service);
    const now = performance.now();
    return {
      // Names have no dots in the services protocol.
      identity: { name: service.replaceAll('.', '-'), id, version, metadata: { cluster, service } },
      description: `${service} of the cluster ${cluster}`,
      started: this.#started,
      endpoints: methods.map(({ name, method, stats }) => ({
        name: method.method,
        subject: subjects.method(name),
        queue: QUEUE,
        metadata: { kind: method.kind },
        counts: stats.counts(now),
      })),
    };
  }
}
