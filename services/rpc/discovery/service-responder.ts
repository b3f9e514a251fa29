import type { Bus, BusMessage, Subscription } from '../../bus/bus.ts';
import { isReplySubject } from '../subjects.ts';
import {
  type ServiceIdentity,
  type ServiceReport,
  serviceReply,
  VERBS,
  type Verb,
} from './service-replies.ts';

/**
 * Answers the questions of the NATS services protocol for one service, so that the tools of NATS
 * list it. The NATS client has such a responder, but it brings its own connection and counts its
 * own request handlers: neither fits behind the Bus, nor calls that stream.
 */
export class ServiceResponder {
  readonly #bus: Bus;
  readonly #report: () => ServiceReport;
  readonly #subscriptions: readonly Subscription[];

  constructor(bus: Bus, identity: ServiceIdentity, report: () => ServiceReport) {
    this.#bus = bus;
    this.#report = report;
    const { name, id } = identity;
    const subjects = (verb: Verb) => ['', `.${name}`, `.${name}.${id}`].map((to) => verb + to);
    this.#subscriptions = VERBS.flatMap((verb) =>
      subjects(verb).map((subject) =>
        bus.subscribe(`$SRV.${subject}`, (message) => this.#answer(verb, message)),
      ),
    );
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #answer(verb: Verb, { replyTo }: BusMessage): void {
    if (replyTo === undefined || !isReplySubject(replyTo)) return;
    const reply = JSON.stringify(serviceReply(verb, this.#report()));
    try {
      this.#bus.publish(replyTo, Buffer.from(reply));
    } catch {
      // Whoever asked will ask again.
    }
  }
}
