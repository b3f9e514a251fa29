import type { Bus, Subscription } from '../../bus/bus.ts';
import type { Command } from '../../cluster/messages.ts';
import { decodeCommand } from '../../wire/command-codec.ts';

type Handler = (command: Command) => void;

/** The commands of a group, received and decoded once for all chips of a process. */
export class CommandFeed {
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #handlers = new Set<Handler>();
  #subscription: Subscription | undefined;

  constructor(bus: Bus, subject: string) {
    this.#bus = bus;
    this.#subject = subject;
  }

  subscribe(handler: Handler): Subscription {
    this.#handlers.add(handler);
    this.#subscription ??= this.#bus.subscribe(this.#subject, ({ data }) => this.#receive(data));
    return { unsubscribe: () => this.#remove(handler) };
  }

  #receive(data: Uint8Array): void {
    const command = decodeCommand(data);
    if (command === undefined) return;
    for (const handler of [...this.#handlers]) handler(command);
  }

  #remove(handler: Handler): void {
    this.#handlers.delete(handler);
    if (this.#handlers.size > 0) return;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }
}
