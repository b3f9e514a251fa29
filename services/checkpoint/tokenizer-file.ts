import { existsSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { ModelConfig } from '../core/model/config.ts';
import { ModelError } from '../core/support/errors.ts';
import { HfTokenizer } from '../core/text/hf-tokenizer.ts';
import { Llama2cTokenizer } from '../core/text/llama2c-tokenizer.ts';
import type { Tokenizer } from '../core/text/tokenizer.ts';
import { readJsonFile, readWholeFile } from './json-file.ts';

export interface TokenizerOptions {
  /**
   * A tokenizer.json or a llama2.c tokenizer .bin; without it, one beside the model is looked for.
   */
  readonly file?: string | undefined;
  readonly modelPath: string;
  readonly config: Pick<ModelConfig, 'vocabSize'>;
}

/** Opens the tokenizer of a model and checks that it belongs to it, as far as sizes tell. */
export function openTokenizer(options: TokenizerOptions): Tokenizer {
  const path = tokenizerPath(options);
  const { vocabSize } = options.config;
  switch (extname(path)) {
    case '.json': {
      const tokenizer = new HfTokenizer(readJsonFile(path), readTokenizerConfig(path));
      if (tokenizer.vocabSize <= vocabSize) return tokenizer;
      throw new ModelError(
        `${path} must have at most the model's ${vocabSize} tokens, not ${tokenizer.vocabSize}`,
      );
    }
    case '.bin': {
      const tokenizer = new Llama2cTokenizer(readWholeFile(path));
      if (tokenizer.vocabSize === vocabSize) return tokenizer;
      throw new ModelError(
        `${path} must have the model's ${vocabSize} tokens, not ${tokenizer.vocabSize}`,
      );
    }
    default:
      throw new ModelError(`a tokenizer must be a .json or .bin file, not ${path}`);
  }
}

/** The file that `openTokenizer` opens; throws a ModelError where there is none. */
export function tokenizerPath(options: TokenizerOptions): string {
  return options.file ?? findTokenizer(options);
}

function findTokenizer({ modelPath, config }: TokenizerOptions): string {
  const isDirectory = statSync(modelPath, { throwIfNoEntry: false })?.isDirectory() === true;
  const directory = isDirectory ? modelPath : dirname(modelPath);
  const names = ['tokenizer.json', `tok${config.vocabSize}.bin`, 'tokenizer.bin'];
  const found = names.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ModelError(
    `${directory} must hold the model's tokenizer (${names.join(', ')}), or its file must be named`,
  );
}

function readTokenizerConfig(file: string): unknown {
  const path = join(dirname(file), 'tokenizer_config.json');
  return existsSync(path) ? readJsonFile(path) : {};
}
