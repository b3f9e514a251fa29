/**
 * Measures what the gateway itself costs: streams of server-sent events over real connections, from
 * an engine without a model in the gateway's process, read by this one. At full speed every stream
 * gets a token as soon as the event loop comes round; at a pace, the time from the engine's token to
 * its arrival here is what the gateway adds.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Command } from 'commander';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import type { GatewayBenchMessage, GatewayBenchOrder } from './gateway-messages.ts';
import { digits, median, printTable } from './table.ts';

interface Options {
  readonly streams: number;
  readonly maxTokens: number;
  readonly rounds: number;
  readonly interval: number;
}

interface Round {
  readonly tokensPerSecond: number;
  /** Processor time of the gateway and its stand-in for one token. */
  readonly cpuMicros: number;
  /** Sorted. */
  readonly latenciesMicros: readonly number[];
}

const CHUNK_START = Buffer.from('data: {');
const CONTENT_START = Buffer.from('"content":"');
const STREAM_END = Buffer.from('[DONE]');
const QUOTE = '"'.charCodeAt(0);

/** Reads one stream to its end; returns the latency of every token in it. */
async function readStream(port: number, maxTokens: number): Promise<number[]> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const body = JSON.stringify({
    messages: [{ role: 'user', content: 'Once' }],
    max_tokens: maxTokens,
    stream: true,
  });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
  const latencies: number[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let ended = false;
  socket.on('data', (bytes) => {
    const nowMicros = Number(process.hrtime.bigint() / 1000n);
    const data = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    rest = data.subarray(takeTokens(data, nowMicros, latencies));
    if (!data.includes(STREAM_END)) return;
    ended = true;
    socket.destroy();
  });
  await once(socket, 'close');
  if (!ended || latencies.length !== maxTokens) {
    throw new Error(`a stream ended after ${latencies.length} of ${maxTokens} tokens`);
  }
  return latencies;
}

/** Takes the whole chunks; returns where the first that is not whole begins. */
function takeTokens(data: Buffer, nowMicros: number, latencies: number[]): number {
  let at = data.indexOf(CHUNK_START);
  while (at >= 0) {
    const next = data.indexOf(CHUNK_START, at + 1);
    const end = next < 0 ? data.indexOf('\n\n', at) : next;
    if (end < 0) return at;
    const content = data.indexOf(CONTENT_START, at) + CONTENT_START.length;
    const close = data.indexOf(QUOTE, content);
    if (content > CONTENT_START.length && close > content && close < end) {
      latencies.push(nowMicros - Number(data.toString('latin1', content, close)));
    }
    if (next < 0) return end;
    at = next;
  }
  return Math.max(0, data.length - CHUNK_START.length);
}

class Server {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<Server> {
    const child = fork(packagePath('dist/test/bench/gateway-server.js'));
    const [message] = (await once(child, 'message')) as [GatewayBenchMessage];
    if (message.kind !== 'listening') throw new Error('the gateway did not listen');
    return new Server(child, message.port);
  }

  /** Gives an order; returns the processor time of the process so far. */
  async order(order: GatewayBenchOrder): Promise<number> {
    const answered = once(this.#child, 'message') as Promise<[GatewayBenchMessage]>;
    this.#child.send(order);
    const [message] = await answered;
    if (message.kind !== 'cpu') throw new Error('the gateway did not answer');
    return message.micros;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

async function runRound(server: Server, options: Options): Promise<Round> {
  const { streams, maxTokens } = options;
  const cpuBefore = await server.order({ kind: 'read' });
  const startMs = performance.now();
  const latencies = await Promise.all(
    Array.from({ length: streams }, () => readStream(server.port, maxTokens)),
  );
  const durationMs = performance.now() - startMs;
  const tokens = streams * maxTokens;
  return {
    tokensPerSecond: (1000 * tokens) / durationMs,
    cpuMicros: ((await server.order({ kind: 'read' })) - cpuBefore) / tokens,
    latenciesMicros: latencies.flat().sort((a, b) => a - b),
  };
}

async function measure(server: Server, intervalMs: number, options: Options) {
  await server.order({ kind: 'pace', intervalMs });
  await runRound(server, options);
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round++) rounds.push(await runRound(server, options));
  const middle = (pick: (round: Round) => number): number => median(rounds.map(pick));
  const rank = (fraction: number): number =>
    middle(({ latenciesMicros: all }) => all[Math.floor(fraction * (all.length - 1))]!);
  return {
    'steps every': intervalMs === 0 ? 'at once' : `${intervalMs} ms`,
    streams: options.streams,
    'tokens/s': Math.round(middle(({ tokensPerSecond }) => tokensPerSecond)),
    'CPU µs/token': digits(
      middle(({ cpuMicros }) => cpuMicros),
      3,
    ),
    'added latency, ms: p50': digits(rank(0.5) / 1000, 3),
    p99: digits(rank(0.99) / 1000, 3),
  };
}

const options = new Command('bench:gateway')
  .option('--streams <count>', 'streams at once', wholeNumber(1), 64)
  .option('--max-tokens <count>', 'tokens of each stream', wholeNumber(2), 1000)
  .option('--rounds <count>', 'timed rounds to take the median of', wholeNumber(1), 5)
  .option('--interval <ms>', 'time from step to step where latency is measured', wholeNumber(1), 10)
  .parse()
  .opts<Options>();
const server = await Server.start();
const paced = { ...options, maxTokens: Math.ceil(options.maxTokens / 5) };
printTable([
  await measure(server, 0, options),
  await measure(server, options.interval, paced),
  await measure(server, options.interval, { ...paced, streams: 1 }),
]);
server.stop();
