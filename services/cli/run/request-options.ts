import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError as InvalidOptionError, Option } from 'commander';
import { checkBeamSearch } from '../../client/beam-search.ts';
import type { GenerateRequest, StructuredOutputs } from '../../client/index.ts';
import { toGenerateInput } from '../../client/request.ts';
import { compileConstraint } from '../../core/grammar/compile-constraint.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { checkGenerateInput } from '../../rpc/check-generate-input.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';

/** What a command asks of every prompt, named as vLLM's sampling parameters. */
export interface RequestOptions {
  readonly n: number;
  readonly maxTokens: number;
  readonly minTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly minP: number;
  readonly seed: number | undefined;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly logitBias: Readonly<Record<number, number>> | undefined;
  readonly logprobs: number | undefined;
  readonly promptLogprobs: number | undefined;
  readonly stop: readonly string[] | undefined;
  readonly stopTokenIds: readonly number[] | undefined;
  readonly includeStopStrInOutput: true | undefined;
  readonly ignoreEos: true | undefined;
  readonly jsonSchema: string | undefined;
  readonly jsonObject: true | undefined;
  readonly regex: string | undefined;
  readonly choice: readonly string[] | undefined;
  readonly priority: number;
  readonly cacheSalt: string | undefined;
  readonly clientId: string | undefined;
  readonly beamWidth: number | undefined;
  readonly lengthPenalty: number;
}

/** Options of which a command has one at most. */
const CONSTRAINTS = ['jsonSchema', 'jsonObject', 'regex', 'choice'] as const;

/** The options that a beam search has no use for, as commander calls them. */
const NOT_FOR_BEAMS: (keyof RequestOptions)[] = [
  ...(['minTokens', 'temperature', 'topP', 'topK', 'minP', 'seed'] as const),
  ...(['repetitionPenalty', 'presencePenalty', 'frequencyPenalty', 'logitBias'] as const),
  ...(['logprobs', 'promptLogprobs', 'stop', 'stopTokenIds', 'includeStopStrInOutput'] as const),
  ...CONSTRAINTS,
];

/** Adds the options of a request to a command. */
export function addRequestOptions(command: Command): Command {
  addDrawOptions(command);
  addStopOptions(command);
  addConstraintOptions(command);
  return command
    .option(
      '--priority <number>',
      'smaller comes first, under --scheduling-policy priority',
      integer,
      0,
    )
    .option('--cache-salt <text>', 'shares cached prefixes only with the same salt')
    .option('--client-id <name>', 'whom it is served for, under --scheduling-policy fair')
    .addOption(
      new Option('--beam-width <count>', 'search the likeliest texts with so many beams')
        .argParser(wholeNumber(1))
        .conflicts(NOT_FOR_BEAMS),
    )
    .option(
      '--length-penalty <exponent>',
      'of a beam’s score: above 1 favours long texts',
      decimal,
      1,
    );
}

/** Throws InvalidArgumentError for values that no server takes, and for options that do not go together. */
export function checkRequestOptions(options: RequestOptions): void {
  const input = toGenerateInput({ ...requestOf(options), prompt: '' });
  checkGenerateInput(input);
  const { constraint } = input.sampling;
  if (constraint !== undefined) compileConstraint(constraint);
  const { n, beamWidth, maxTokens, lengthPenalty } = options;
  if (beamWidth === undefined) {
    if (lengthPenalty === 1) return;
    throw new InvalidArgumentError('--length-penalty needs --beam-width');
  }
  checkBeamSearch({ beamWidth, maxTokens, lengthPenalty });
  if (n <= beamWidth) return;
  throw new InvalidArgumentError(
    `--n must be at most --beam-width, which is ${beamWidth}, not ${n}`,
  );
}

/** What all prompts of the command have in common. */
export function requestOf(options: RequestOptions): Omit<GenerateRequest, 'prompt'> {
  const { n, maxTokens, minTokens, temperature, topP, topK, minP, priority } = options;
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = options;
  return {
    ...{ n, maxTokens, minTokens, temperature, topP, topK, minP, priority },
    ...{ repetitionPenalty, presencePenalty, frequencyPenalty },
    seed: options.seed,
    logprobs: options.logprobs,
    promptLogprobs: options.promptLogprobs,
    logitBias: options.logitBias ?? {},
    stop: options.stop ?? [],
    stopTokenIds: options.stopTokenIds ?? [],
    includeStopStrInOutput: options.includeStopStrInOutput ?? false,
    ignoreEos: options.ignoreEos ?? false,
    structuredOutputs: structuredOutputsOf(options),
    cacheSalt: options.cacheSalt ?? '',
    clientId: options.clientId ?? '',
  };
}

function addDrawOptions(command: Command): void {
  command
    .option('--n <count>', 'samples of each prompt, or beams to show', wholeNumber(1), 1)
    .option('--temperature <number>', '0 always takes the likeliest token', decimal, 0)
    .option('--top-p <mass>', 'draw from the likeliest tokens of this probability', decimal, 1)
    .option('--top-k <count>', 'draw from so many likeliest tokens (0, -1: all)', topK, 0)
    .option('--min-p <share>', 'draw from tokens of this share of the likeliest one’s', decimal, 0)
    .option('--seed <number>', 'repeats the same draws (default: a new one)', wholeNumber(0))
    .option('--repetition-penalty <factor>', 'of tokens in prompt and output', decimal, 1)
    .option('--presence-penalty <number>', 'of tokens in the output', decimal, 0)
    .option('--frequency-penalty <number>', 'of tokens in the output, each time', decimal, 0)
    .option('--logit-bias <id=bias,...>', 'added to logits, such as 12=-100,7=3.5', logitBias)
    .option(
      '--logprobs <count>',
      'log-probabilities of so many tokens, with --json',
      wholeNumber(0),
    )
    .option('--prompt-logprobs <count>', 'the same of the prompt’s tokens', wholeNumber(0));
}

function addStopOptions(command: Command): void {
  command
    .option('--max-tokens <count>', 'generated tokens', wholeNumber(1), 128)
    .option('--min-tokens <count>', 'generated tokens before anything stops', wholeNumber(0), 0)
    .option('--stop <text>', 'ends the output before this text; repeatable', append)
    .option('--stop-token-ids <ids>', 'token ids that end the output, such as 5,17', tokenIds)
    .option('--include-stop-str-in-output', 'keep the text that ended the output')
    .option('--ignore-eos', 'go on past the model’s end of text');
}

function addConstraintOptions(command: Command): void {
  const texts = {
    jsonSchema: ['--json-schema <file>', 'the output is JSON that validates against the schema'],
    jsonObject: ['--json-object', 'the output is a JSON object'],
    regex: ['--regex <pattern>', 'the output matches the expression from end to end'],
    choice: ['--choice <text>', 'the output is one of these texts; repeatable'],
  } as const;
  for (const name of CONSTRAINTS) {
    const [flags, description] = texts[name];
    const option = new Option(flags, description);
    if (name === 'jsonSchema') option.argParser(readSchema);
    if (name === 'choice') option.argParser(append);
    command.addOption(option.conflicts(CONSTRAINTS.filter((other) => other !== name)));
  }
}

/** The text of the file: whether it is a schema is for the server to say. */
function readSchema(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidOptionError(`It must be a file that can be read: ${(error as Error).message}`);
  }
}

function structuredOutputsOf(options: RequestOptions): StructuredOutputs | undefined {
  const { jsonSchema: json, jsonObject, regex, choice } = options;
  const given = Object.entries({ json, jsonObject, regex, choice }).filter(([, value]) => value);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function tokenIds(text: string): readonly number[] {
  return text.split(',').map((id) => tokenId(id.trim()));
}

function tokenId(text: string): number {
  return wholeNumber(0)(text);
}

/** vLLM's -1 means all tokens, as 0 does. */
function topK(text: string): number {
  return text === '-1' ? 0 : wholeNumber(0)(text);
}

/** The option may be repeated; no token may. */
function logitBias(
  text: string,
  before: Readonly<Record<number, number>> = {},
): Readonly<Record<number, number>> {
  const biases = { ...before };
  for (const pair of text.split(',')) {
    const [, id, bias] = /^\s*(\d+)\s*=(.+)$/.exec(pair) ?? [];
    if (id === undefined || bias === undefined) {
      throw new InvalidOptionError('It must be token ids and numbers, such as 12=-100,7=3.5.');
    }
    const token = tokenId(id);
    if (Object.hasOwn(biases, token)) {
      throw new InvalidOptionError(`It must have one bias for the token ${token}, not two.`);
    }
    biases[token] = decimal(bias);
  }
  return biases;
}

function integer(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Math.abs(value) < 2 ** 31) return value;
  throw new InvalidOptionError('It must be a whole number.');
}

function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidOptionError('It must be a number.');
}
