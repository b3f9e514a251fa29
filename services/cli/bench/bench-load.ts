import { planRequests } from '../../sim/capacity/workload.ts';
import { Random } from '../../sim/random.ts';
import { workloadOf } from '../sim/workload-options.ts';
import type { BenchOptions } from './bench-options.ts';
import { readDatasetFile } from './dataset-file.ts';
import type { TimedRequest } from './load-run.ts';
import { promptText, promptTokens } from './prompts.ts';

/** Stream of draws for clients that give up. */
const CANCELLATION_STREAM = 2;

/** The requests that the options describe: those of `sohu sim` for the same options. */
export function loadOf(options: BenchOptions): readonly TimedRequest[] {
  const requests = options.datasetFile === undefined ? madeUp(options) : fromFile(options);
  const random = new Random(options.seed, CANCELLATION_STREAM);
  const { cancellationRate, cancellationDelay } = options;
  return requests.map((request) => {
    const leaves = random.chance(cancellationRate);
    return { ...request, cancelAfterMs: leaves ? cancellationDelay : undefined };
  });
}

type LastingRequest = Omit<TimedRequest, 'cancelAfterMs'>;

function madeUp(options: BenchOptions): readonly LastingRequest[] {
  const { seed, backend } = options;
  const promptOf = backend === 'openai-chat' ? promptText : promptTokens;
  return planRequests(workloadOf(options)).map((request, number) => ({
    arrivalMicros: request.arrivalMicros,
    inputTokens: request.inputTokens,
    make: () => ({ prompt: promptOf(request, { seed, number }), maxTokens: request.outputTokens }),
  }));
}

/** Prompts of a file in their order, as often as it takes, at the moments of a drawn workload. */
function fromFile(options: BenchOptions): readonly LastingRequest[] {
  const prompts = readDatasetFile(options.datasetFile!);
  const numPrompts = options.numPrompts ?? prompts.length;
  const planned = planRequests(workloadOf({ ...options, numPrompts, traceFile: undefined }));
  return planned.map(({ arrivalMicros }, number) => {
    const { prompt, outputTokens = options.osl } = prompts[number % prompts.length]!;
    // What the prompt comes to in tokens only the server knows.
    return { arrivalMicros, inputTokens: 0, make: () => ({ prompt, maxTokens: outputTokens }) };
  });
}
