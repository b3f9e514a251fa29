import type { Command } from 'commander';
import { SohuClient } from '../../client/index.ts';
import { RpcError } from '../../rpc/status.ts';
import { numberBetween } from '../../runtime/options/option-values.ts';
import { addPlaceOptions, type PlaceOptions, placeOf } from '../serve/cluster-place.ts';
import { EXIT_CODES_HELP } from '../terminal/errors.ts';
import { countOf } from '../terminal/format.ts';
import { LimitedSignal } from '../terminal/limited-signal.ts';
import { Progress } from '../terminal/progress.ts';
import { listenForStop } from '../terminal/stop-requests.ts';
import { ChromeTraceFile } from './chrome-trace-file.ts';
import { LiveTrace } from './live-trace.ts';

interface TraceOptions extends PlaceOptions {
  readonly seconds: number;
  readonly out: string;
}

const EXAMPLES = `Examples:
  sohu trace                              watch the running cluster for 5 seconds
  sohu trace --seconds 20 --out busy.json
`;
const MAX_SECONDS = 3_600;
const MS_PER_SECOND = 1000;

/** Adds `sohu trace`, which writes down what a running cluster does. */
export function addTraceCommand(program: Command): void {
  addPlaceOptions(program.command('trace'))
    .description('Write a trace of a running cluster, for Perfetto or chrome://tracing.')
    .option('--seconds <number>', 'how long to watch', numberBetween(0.1, MAX_SECONDS), 5)
    .option('--out <file>', 'where the trace goes', 'trace.json')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', EXIT_CODES_HELP)
    .action(trace);
}

async function trace(options: TraceOptions): Promise<void> {
  const signal = listenForStop();
  const { natsUrl, ...place } = placeOf(options);
  const client = await SohuClient.connect(natsUrl, place);
  try {
    await record(client, options, signal);
  } finally {
    await client.close();
  }
}

/** An interrupt ends the trace early: what was seen is kept. */
async function record(
  client: SohuClient,
  { out, seconds }: TraceOptions,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress();
  // Answers at once where nobody serves, which a watch would only find out later.
  await client.telemetry.snapshot({ signal });
  const file = new ChromeTraceFile(out, { field: 'out', clock: 'host and device' });
  const live = new LiveTrace();
  const over = new LimitedSignal(signal);
  over.after(seconds * MS_PER_SECOND, 'over');
  let steps = 0;
  let lost = 0;
  try {
    for await (const step of client.telemetry.watch({ detail: true, signal: over.signal })) {
      file.write(live.eventsOf(step));
      steps++;
      lost += step.lost;
    }
  } catch (error) {
    if (!(over.signal.aborted && error instanceof RpcError)) throw error;
  } finally {
    over.release();
    file.close();
  }
  const missed = lost > 0 ? ` (${lost} more came too fast)` : '';
  progress.note(`${countOf(steps, 'step')}${missed} in ${out}: open it at ui.perfetto.dev.`);
}
