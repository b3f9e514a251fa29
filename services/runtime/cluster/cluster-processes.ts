import type { Broker } from '../broker/nats-server.ts';
import type { ManagedProcess, ProcessExit } from '../process/managed-process.ts';

/** The processes of one cluster: they serve together, and end together. */
export class ClusterProcesses {
  /** Resolves, with a sentence that names it, when a process ends that nobody told to. */
  readonly failed: Promise<Error>;
  readonly #broker: Broker;
  readonly #nodes: ManagedProcess[] = [];
  #fail!: (error: Error) => void;
  #stopped: Promise<void> | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    void broker.exited.then((code) => {
      this.#ended(`the broker (nats-server, pid ${broker.pid}) ended with exit code ${code}`);
    });
  }

  /** Takes a process in; those that were added last are stopped first. */
  add(node: ManagedProcess): void {
    this.#nodes.push(node);
    void node.exited.then((exit) => {
      this.#ended(`${node.name} (pid ${node.pid}) ended ${describeExit(exit)}`);
    });
  }

  /**
   * Ends the coordinator, then the chips together, then the broker; resolves when all of them are
   * gone.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const [coordinator, ...chips] = [...this.#nodes].reverse();
    await coordinator?.stop();
    await Promise.all(chips.map((chip) => chip.stop()));
    await this.#broker.stop();
  }

  #ended(sentence: string): void {
    if (this.#stopped === undefined) this.#fail(new Error(sentence));
  }
}

function describeExit({ code, signal, stderrTail }: ProcessExit): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return stderrTail === '' ? how : `${how}; the last that it wrote:\n${stderrTail}`;
}
