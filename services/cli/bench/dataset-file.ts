import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { describeValue, isFields } from '../../core/support/fields.ts';

/** A prompt of a file. */
export interface DatasetPrompt {
  readonly prompt: string;
  /** Undefined where the file does not say. */
  readonly outputTokens: number | undefined;
}

/**
 * Reads prompts from a JSONL file: in each line `prompt`, a text, and where wanted `output_tokens`. An
 * InvalidArgumentError names the line that is malformed.
 */
export function readDatasetFile(path: string): readonly DatasetPrompt[] {
  const prompts = readLines(path).flatMap((text, index) => {
    if (text.trim() === '') return [];
    try {
      return [readPrompt(text)];
    } catch (error) {
      throw new InvalidArgumentError(`line ${index + 1} of ${path}: ${(error as Error).message}`);
    }
  });
  if (prompts.length > 0) return prompts;
  throw new InvalidArgumentError(
    `dataset_file must have at least one prompt, and ${path} has none`,
  );
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch (error) {
    throw new InvalidArgumentError(
      `dataset_file must be a file that can be read, and ${path} is not: ${(error as Error).message}`,
    );
  }
}

function readPrompt(text: string): DatasetPrompt {
  const value: unknown = JSON.parse(text);
  const { prompt, output_tokens: outputTokens } = isFields(value) ? value : {};
  if (typeof prompt !== 'string' || prompt === '') {
    throw new InvalidArgumentError(`prompt must be a text, not ${describeValue(prompt)}`);
  }
  if (outputTokens === undefined) return { prompt, outputTokens };
  if (Number.isInteger(outputTokens) && (outputTokens as number) >= 1) {
    return { prompt, outputTokens: outputTokens as number };
  }
  throw new InvalidArgumentError(
    `output_tokens must be a whole number from 1, not ${describeValue(outputTokens)}`,
  );
}
