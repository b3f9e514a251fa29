import { Counter, Gauge, type Registry } from 'prom-client';

const ANSWER_TIMEOUT_MS = 1_000;
/** One scrape reads all series from one answer. */
const FRESH_MS = 200;
/** Where a name has gone, a resolver may take that long to say so, and holds one of few threads meanwhile. */
const ASK_AGAIN_MS = 10_000;

/** The part of a nats-server's /varz that is shown. */
interface Varz {
  readonly connections: number;
  readonly slow_consumers: number;
  readonly subscriptions: number;
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
  readonly mem: number;
}

/** The brokers as their monitoring pages, each at a base URL, tell of them, asked when somebody scrapes. */
export function registerBrokerMetrics(registry: Registry, monitoringUrls: readonly string[]): void {
  const registers = [registry];
  const brokers = monitoringUrls.map((url) => new Broker(url));
  const gauge = (name: string, help: string, read: (it: Varz) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['broker'],
      registers,
      async collect() {
        for (const { broker, now } of await readAll(brokers)) {
          if (now === undefined) this.remove({ broker });
          else this.set({ broker }, read(now));
        }
      },
    });
  };
  const counter = (
    name: string,
    help: string,
    read: (it: Varz) => Record<string, number>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: ['broker', 'direction'],
      registers,
      async collect() {
        const answers = await readAll(brokers);
        this.reset();
        for (const { broker, now } of answers) {
          if (now === undefined) continue;
          for (const [direction, value] of Object.entries(read(now))) {
            this.inc({ broker, direction }, value);
          }
        }
      },
    });
  };
  new Gauge({
    name: 'sohu_broker_up',
    help: 'Whether the broker’s monitoring answers.',
    labelNames: ['broker'],
    registers,
    async collect() {
      for (const { broker, now } of await readAll(brokers)) {
        this.set({ broker }, Number(now !== undefined));
      }
    },
  });
  gauge('sohu_broker_connections', 'Connections now.', (it) => it.connections);
  gauge('sohu_broker_subscriptions', 'Subscriptions now.', (it) => it.subscriptions);
  gauge('sohu_broker_memory_bytes', 'Resident memory of the broker.', (it) => it.mem);
  gauge(
    'sohu_broker_slow_consumers',
    'Readers cut off since its start.',
    (it) => it.slow_consumers,
  );
  counter('sohu_broker_messages_total', 'Messages through the broker.', (it) => ({
    in: it.in_msgs,
    out: it.out_msgs,
  }));
  counter('sohu_broker_bytes_total', 'Bytes of messages through the broker.', (it) => ({
    in: it.in_bytes,
    out: it.out_bytes,
  }));
}

function readAll(
  brokers: readonly Broker[],
): Promise<readonly { readonly broker: string; readonly now: Varz | undefined }[]> {
  return Promise.all(brokers.map(async (each) => ({ broker: each.name, now: await each.read() })));
}

class Broker {
  /** Host and port of its pages. */
  readonly name: string;
  readonly #url: string;
  #last: Promise<Varz | undefined> | undefined;
  #askedMs = 0;
  #freshMs = FRESH_MS;

  constructor(monitoringUrl: string) {
    this.name = new URL(monitoringUrl).host;
    this.#url = `${monitoringUrl.replace(/\/$/, '')}/varz`;
  }

  /** Undefined where the broker does not answer. */
  read(): Promise<Varz | undefined> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#askedMs > this.#freshMs) {
      this.#askedMs = now;
      this.#last = this.#ask();
    }
    return this.#last;
  }

  async #ask(): Promise<Varz | undefined> {
    try {
      const answer = await fetch(this.#url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      const varz = (await answer.json()) as Varz;
      this.#freshMs = FRESH_MS;
      return varz;
    } catch {
      this.#freshMs = ASK_AGAIN_MS;
      return undefined;
    }
  }
}
