import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Architecture } from '../core/architecture/architecture.ts';
import type { ModelConfig } from '../core/model/config.ts';
import { parseStopTokenIds } from '../core/model/hf-config.ts';
import type { Range } from '../core/model/shard-plan.ts';
import { isFields } from '../core/support/fields.ts';
import { SyntheticTokenizer } from '../core/text/synthetic-tokenizer.ts';
import type { Tokenizer } from '../core/text/tokenizer.ts';
import { checkGenerates } from '../core/timing/kv-blocks.ts';
import { readJsonFile } from './json-file.ts';
import { findArchitecture, findConfigFile } from './model-catalogue.ts';
import { openTokenizer } from './tokenizer-file.ts';

/** A model of which only the sizes are read, with what serving needs beside them. */
export interface PhantomModel {
  readonly architecture: Architecture;
  readonly config: Pick<ModelConfig, 'vocabSize' | 'maxPositions' | 'stopTokenIds'>;
  /** The file that the sizes are from; undefined for the parametric family. */
  readonly file: string | undefined;
  /** The tokenizer's file; undefined where the synthetic one stands in. */
  readonly tokenizerFile: string | undefined;
  readonly tokenizer: Tokenizer;
  /** Ids that its outputs are drawn from. */
  readonly drawn: Range;
}

/**
 * Opens a model by its name in the catalogue, of the parametric family, or the path of a config.json
 * or its folder. Where no file names an end of text, it is the last id; where neither an option nor the
 * folder has a tokenizer, the synthetic one stands in.
 */
export function openPhantomModel(
  name: string,
  options: { readonly catalogue: string; readonly tokenizer: string | undefined },
): PhantomModel {
  const architecture = findArchitecture(name, options.catalogue);
  checkGenerates(architecture);
  const file = findConfigFile(name, options.catalogue);
  const { vocabSize, maxPositions } = architecture;
  const named = file === undefined ? [] : readStopTokenIds(file, vocabSize);
  const stopTokenIds = named.length > 0 ? named : [vocabSize - 1];
  const config = { vocabSize, maxPositions, stopTokenIds };
  const found = { architecture, config, file };
  const tokenizerFile = options.tokenizer ?? tokenizerBeside(file);
  if (tokenizerFile === undefined) {
    const tokenizer = new SyntheticTokenizer(vocabSize, stopTokenIds);
    return { ...found, tokenizerFile, tokenizer, drawn: tokenizer.words };
  }
  const place = { file: tokenizerFile, modelPath: tokenizerFile, config };
  const tokenizer = openTokenizer(place);
  return { ...found, tokenizerFile, tokenizer, drawn: { start: 0, end: tokenizer.vocabSize } };
}

/** A generation_config.json may name more than the config.json does. */
function readStopTokenIds(file: string, vocabSize: number): number[] {
  const files = [file, join(dirname(file), 'generation_config.json')];
  const ids = files
    .filter((path) => existsSync(path))
    .map(readJsonFile)
    .filter(isFields)
    .flatMap((fields) => parseStopTokenIds(fields, vocabSize));
  return [...new Set(ids)];
}

function tokenizerBeside(file: string | undefined): string | undefined {
  const path = file && join(dirname(file), 'tokenizer.json');
  return path !== undefined && existsSync(path) ? path : undefined;
}
