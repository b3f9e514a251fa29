import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readJsonFile, readWholeFile } from '../checkpoint/json-file.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { openPhantomModel } from '../checkpoint/phantom-model.ts';
import { openTokenizer, tokenizerPath } from '../checkpoint/tokenizer-file.ts';
import { type Fields, isFields } from '../core/support/fields.ts';
import type { Tokenizer } from '../core/text/tokenizer.ts';
import { cataloguePath } from '../runtime/phantom/catalogue-path.ts';
import { ChatTemplate } from './chat-template.ts';
import { TokenTexts } from './token-texts.ts';

/** What a gateway knows of the model without asking the engine. */
export interface ServedModel {
  /** What clients call it. */
  readonly name: string;
  /** Seconds since 1970 of the file. */
  readonly created: number;
  readonly texts: TokenTexts;
  readonly chatTemplate: ChatTemplate;
}

export interface ServedModelOptions {
  readonly modelPath: string;
  /** The tokenizer's file; one beside the model where it is undefined. */
  readonly tokenizer: string | undefined;
  /** The name of the model's directory or file where it is undefined. */
  readonly servedName: string | undefined;
}

const TEMPLATE_NAMES = ['chat_template.jinja', 'tokenizer_config.json'] as const;

/** Opens what is beside the weights; throws a ModelError where it cannot be used. */
export function openServedModel(options: ServedModelOptions): ServedModel {
  const { modelPath, tokenizer, servedName } = options;
  const checkpoint = openCheckpoint(modelPath);
  checkpoint.close();
  const place = { file: tokenizer, modelPath, config: checkpoint.config };
  return {
    name: servedName ?? basename(modelPath),
    created: createdAt(modelPath),
    ...openTexts(openTokenizer(place), tokenizerPath(place)),
  };
}

/** Opens what a model without weights has: often its sizes alone. */
export function openServedPhantom(options: {
  readonly model: string;
  readonly tokenizer: string | undefined;
  readonly servedName: string | undefined;
}): ServedModel {
  const { model, tokenizer, servedName } = options;
  const found = openPhantomModel(model, { catalogue: cataloguePath(), tokenizer });
  return {
    name: servedName ?? found.architecture.name,
    created: found.file === undefined ? 0 : createdAt(found.file),
    ...openTexts(found.tokenizer, found.tokenizerFile),
  };
}

function createdAt(path: string): number {
  return Math.floor(statSync(path).mtimeMs / 1000);
}

/** Texts and the template beside the tokenizer's file; the plain template where there is no file. */
function openTexts(
  tokenizer: Tokenizer,
  path: string | undefined,
): Pick<ServedModel, 'texts' | 'chatTemplate'> {
  if (path === undefined) {
    const chatTemplate = new ChatTemplate(undefined, {});
    return { texts: new TokenTexts(tokenizer, new Map()), chatTemplate };
  }
  const [templateFile, configFile] = TEMPLATE_NAMES.map((name) => join(dirname(path), name));
  const config = readFields(configFile!);
  const source = readTemplateFile(templateFile!) ?? templateOf(config);
  return {
    texts: new TokenTexts(tokenizer, readSpecials(path)),
    chatTemplate: new ChatTemplate(source, specialTokensOf(config)),
  };
}

function readTemplateFile(path: string): string | undefined {
  return existsSync(path) ? new TextDecoder().decode(readWholeFile(path)) : undefined;
}

function readFields(path: string): Fields {
  const value = existsSync(path) ? readJsonFile(path) : {};
  return isFields(value) ? value : {};
}

/** One template, or one of several by name. */
function templateOf({ chat_template: template }: Fields): string | undefined {
  if (typeof template === 'string') return template;
  const named = Array.isArray(template) ? template.filter(isFields) : [];
  const found = named.find(({ name }) => name === 'default')?.template;
  return typeof found === 'string' ? found : undefined;
}

/** `bos_token` and its like, each a text or an object with the text. */
function specialTokensOf(config: Fields): Readonly<Record<string, string>> {
  const tokens = Object.entries(config).flatMap(([name, value]) => {
    const content = isFields(value) ? value.content : value;
    return name.endsWith('_token') && typeof content === 'string' ? [[name, content]] : [];
  });
  return Object.fromEntries(tokens);
}

/** The names of the special tokens of a tokenizer.json; other formats do not tell. */
function readSpecials(path: string): ReadonlyMap<number, string> {
  if (!path.endsWith('.json')) return new Map();
  const { added_tokens: added } = readFields(path);
  const tokens = Array.isArray(added) ? added.filter(isFields) : [];
  return new Map(
    tokens
      .filter(({ special }) => special === true)
      .map(({ id, content }) => [Number(id), String(content)]),
  );
}
