import type { Broker } from '../broker/nats-server.ts';
import type { ManagedProcess, ProcessExit } from '../process/managed-process.ts';
import type { LineSink } from '../process/read-lines.ts';

/** Gives the process that follows one which ended by itself; undefined where none does. */
export type Restart = (reason: string) => ManagedProcess | undefined;

/** The processes of one cluster: they serve together, and end together. */
export class ClusterProcesses {
  /** Resolves, with a sentence that names it, when a process ends that nobody told to. */
  readonly failed: Promise<Error>;
  readonly #broker: Broker;
  readonly #chips: ManagedProcess[] = [];
  /** What stands before the chips. */
  readonly #heads: ManagedProcess[] = [];
  readonly #log: LineSink;
  #fail!: (error: Error) => void;
  #stopped: Promise<void> | undefined;

  /** `log` is told of every beginning and end. */
  constructor(broker: Broker, log: LineSink = () => {}) {
    this.#broker = broker;
    this.#log = log;
    log(`the broker (pid ${broker.pid}) listens at ${broker.url}`);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    void broker.exited.then((code) => {
      this.#ended(`the broker (nats-server, pid ${broker.pid}) ended with exit code ${code}`);
    });
  }

  addChip(chip: ManagedProcess): void {
    this.#chips.push(chip);
    this.#watch(chip);
  }

  /**
   * Takes in the coordinator, or what uses it; the last one is stopped first. One that ends by itself
   * is followed by what `restart` gives.
   */
  addHead(head: ManagedProcess, restart?: Restart): void {
    this.#heads.push(head);
    this.#watch(head, restart);
  }

  /**
   * Ends the heads one by one, which together may take `drainMs` to finish their work, then the
   * chips together, then the broker; resolves when all of them are gone.
   */
  stop(drainMs = 0): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    this.#log(drainMs > 0 ? `stopping; open requests have ${drainMs} ms to finish` : 'stopping');
    const endMs = performance.now() + drainMs;
    for (const head of [...this.#heads].reverse()) await head.drain(endMs - performance.now());
    await Promise.all(this.#chips.map((chip) => chip.stop()));
    await this.#broker.stop();
  }

  #watch(node: ManagedProcess, restart?: Restart): void {
    this.#log(`${node.name} started (pid ${node.pid})`);
    void node.exited.then((exit) => {
      const sentence = `${node.name} (pid ${node.pid}) ended ${describeExit(exit)}`;
      const next = this.#ended(sentence, restart);
      if (next === undefined) return;
      this.#heads[this.#heads.indexOf(node)] = next;
      this.#watch(next, restart);
    });
  }

  /** What follows; where nothing does, the cluster has failed. */
  #ended(sentence: string, restart?: Restart): ManagedProcess | undefined {
    this.#log(sentence);
    if (this.#stopped !== undefined) return undefined;
    const next = restart?.(sentence);
    if (next === undefined) this.#fail(new Error(sentence));
    return next;
  }
}

function describeExit({ code, signal, stderrTail }: ProcessExit): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return stderrTail === '' ? how : `${how}; the last that it wrote:\n${stderrTail}`;
}
