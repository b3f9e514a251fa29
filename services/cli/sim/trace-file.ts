import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { describeValue, type Fields, isFields } from '../../core/support/fields.ts';
import { findNamed, nearestName } from '../../core/support/nearest.ts';
import { type PlannedRequest, TRACE_BLOCK_TOKENS } from '../../sim/capacity/planned-request.ts';

const FORMATS = {
  '.csv': { read: readAzureLine, hasHead: true },
  '.jsonl': { read: readMooncakeLine, hasHead: false },
} as const;
const ENDINGS = ['.csv', '.jsonl'] as const;
const AZURE_COLUMNS = ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'];
const AZURE_TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00:00)?$/;
const MICROS_PER_MS = 1000;

/**
 * Reads a trace of requests: a CSV file of the Azure LLM inference traces (TIMESTAMP, ContextTokens,
 * GeneratedTokens), or a JSONL file of the Mooncake traces (timestamp in milliseconds, input_length,
 * output_length, hash_ids of 512 tokens each, which may be missing). Requests come in the order of their
 * arrival, the first at 0. An InvalidArgumentError names the line that is malformed.
 */
export function readTraceFile(path: string): readonly PlannedRequest[] {
  const ending = findNamed(ENDINGS, extname(path), { field: 'trace_file', namesOf: (it) => [it] });
  const { read, hasHead } = FORMATS[ending];
  const lines = readText(path).split(/\r?\n/);
  if (hasHead) checkHead(lines[0]!, path);
  const requests: PlannedRequest[] = [];
  for (let index = hasHead ? 1 : 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (line.trim() === '') continue;
    try {
      requests.push(read(line));
    } catch (error) {
      throw new InvalidArgumentError(`line ${index + 1} of ${path}: ${(error as Error).message}`);
    }
  }
  if (requests.length === 0) {
    throw new InvalidArgumentError(
      `trace_file must have at least one request, and ${path} has none`,
    );
  }
  return fromZero(requests);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(
      `trace_file must be a file that can be read, and ${path} is not: ${(error as Error).message}${nearestTrace(path)}`,
    );
  }
}

/** Names the trace beside a path that is none, so that a slip of the keyboard shows. */
function nearestTrace(path: string): string {
  try {
    const names = readdirSync(dirname(path)).filter((name) =>
      ENDINGS.some((it) => name.endsWith(it)),
    );
    if (names.length === 0) return '';
    return `; the nearest is ${join(dirname(path), nearestName(names, basename(path)))}`;
  } catch {
    return '';
  }
}

function checkHead(line: string, path: string): void {
  const columns = AZURE_COLUMNS.join(',');
  if (line.trim().replace(/^\uFEFF/, '') === columns) return;
  throw new InvalidArgumentError(`line 1 of ${path}: the columns must be ${columns}, not ${line}`);
}

function readAzureLine(line: string): PlannedRequest {
  const cells = line.split(',');
  if (cells.length !== AZURE_COLUMNS.length) {
    throw new InvalidArgumentError(`a line must have 3 columns, not ${cells.length}`);
  }
  const [timestamp, context, generated] = cells as [string, string, string];
  return {
    arrivalMicros: azureMicros(timestamp),
    inputTokens: tokensOf('ContextTokens', Number(context)),
    outputTokens: tokensOf('GeneratedTokens', Number(generated)),
    contentIds: undefined,
  };
}

/** Microseconds; a Date alone would lose what is below a millisecond. */
function azureMicros(timestamp: string): number {
  const [, day, time, fraction = '.0'] = AZURE_TIME.exec(timestamp) ?? [];
  const ms = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      `TIMESTAMP must look like 2023-11-16 18:15:46.6805900, not ${describeValue(timestamp)}`,
    );
  }
  return MICROS_PER_MS * ms + Number(fraction) * 1e6;
}

function readMooncakeLine(line: string): PlannedRequest {
  const fields = parseObject(line);
  const { timestamp, hash_ids: ids } = fields;
  if (!(typeof timestamp === 'number' && timestamp >= 0)) {
    throw new InvalidArgumentError(
      `timestamp must be a number of milliseconds from 0, not ${describeValue(timestamp)}`,
    );
  }
  const inputTokens = tokensOf('input_length', fields.input_length);
  return {
    arrivalMicros: MICROS_PER_MS * timestamp,
    inputTokens,
    outputTokens: tokensOf('output_length', fields.output_length),
    contentIds: ids === undefined ? undefined : contentIdsOf(ids, inputTokens),
  };
}

function parseObject(line: string): Fields {
  const value: unknown = JSON.parse(line);
  if (isFields(value)) return value;
  throw new InvalidArgumentError(`a line must be a JSON object, not ${describeValue(value)}`);
}

function contentIdsOf(ids: unknown, inputTokens: number): readonly number[] {
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0;
  if (!Array.isArray(ids) || !ids.every(isId)) {
    throw new InvalidArgumentError(
      `hash_ids must be a list of whole numbers from 0, not ${describeValue(ids)}`,
    );
  }
  const needed = Math.ceil(inputTokens / TRACE_BLOCK_TOKENS);
  if (ids.length >= needed) return ids.slice(0, needed);
  throw new InvalidArgumentError(
    `hash_ids must have one number for every ${TRACE_BLOCK_TOKENS} tokens of input_length, which are ${needed}, not ${ids.length}`,
  );
}

function tokensOf(field: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1) return value as number;
  throw new InvalidArgumentError(
    `${field} must be a whole number from 1, not ${describeValue(value)}`,
  );
}

function fromZero(requests: readonly PlannedRequest[]): readonly PlannedRequest[] {
  const sorted = requests.toSorted((a, b) => a.arrivalMicros - b.arrivalMicros);
  const first = sorted[0]!.arrivalMicros;
  return sorted.map((request) => ({ ...request, arrivalMicros: request.arrivalMicros - first }));
}
