import type { TestContext } from 'node:test';
import { SohuClient } from '../../services/client/index.ts';
import { natsServerBinary } from '../support/broker.ts';
import {
  type CliEnvironment,
  type CliProcess,
  makeCliEnvironment,
  startCli,
} from '../support/cli.ts';

/** A cluster as `sohu up` starts it, with its gateway. */
export interface LiveCluster {
  readonly up: CliProcess;
  readonly env: CliEnvironment;
  /** Base URL of the gateway. */
  readonly url: string;
  readonly client: SohuClient;
  /** Sequences that wait or run, and the KV blocks' bytes in use, as the coordinator counts them. */
  load(): Promise<{ readonly running: number; readonly kvBytes: number }>;
}

/** Starts two chips and what belongs to them; undefined where the test is skipped. */
export async function startLiveCluster(
  t: TestContext,
  args: readonly string[] = [],
): Promise<LiveCluster | undefined> {
  if ((await natsServerBinary(t)) === undefined) return undefined;
  const env = makeCliEnvironment(t);
  const up = startCli(t, env, ['up', '--tp', '2', '--no-demo', '--port', '0', ...args]);
  await up.untilPrinted('stderr', 'Serving');
  const printed = up.printed('stdout');
  const [, url] = /^HTTP +(http:\S+)\/v1/m.exec(printed)!;
  const [, nats] = /connect\('(.+?)'/.exec(printed)!;
  const [, metrics] = /^Metrics +(http:\S+)/m.exec(printed)!;
  const client = await SohuClient.connect(nats!);
  t.after(() => client.close());
  const load = async () => {
    const text = await (await fetch(metrics!)).text();
    const sum = (pattern: RegExp): number =>
      [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
    return {
      running: sum(/^sohu_requests\{.*\} (\S+)$/gm),
      kvBytes: sum(/^sohu_hbm_bytes\{use="kv".*\} (\S+)$/gm),
    };
  };
  return { up, env, url: url!, client, load };
}
