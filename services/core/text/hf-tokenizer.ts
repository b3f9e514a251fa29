import { Tokenizer as Library } from '@huggingface/tokenizers';
import { InvalidArgumentError, ModelError } from '../support/errors.ts';
import { describeValue, type Fields, isFields } from '../support/fields.ts';
import { detectTokenDecoding, type TokenDecoding } from './token-decoding.ts';
import type { Tokenizer } from './tokenizer.ts';
import { encodeUtf8 } from './utf8.ts';

const MAX_VOCAB_SIZE = 2 ** 24;
const NO_BYTES = new Uint8Array(0);

/** A Hugging Face tokenizer.json: byte-level BPE or SentencePiece-style. */
export class HfTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly #library: Library;
  readonly #decoding: TokenDecoding;
  readonly #specialIds = new Set<number>();
  readonly #addedBytes = new Map<number, Uint8Array>();

  /** Takes the parsed tokenizer.json, and the parsed tokenizer_config.json or an empty object. */
  constructor(tokenizer: unknown, tokenizerConfig: unknown) {
    if (!isFields(tokenizer) || !isFields(tokenizerConfig)) {
      throw new ModelError('tokenizer.json and tokenizer_config.json must hold JSON objects');
    }
    const added = listAddedTokens(tokenizer);
    const ids = added.map(({ id }) => id);
    this.vocabSize = 1 + highestId([...ids, highestVocabularyId(tokenizer)]);
    this.#decoding = detectTokenDecoding(tokenizer.decoder);
    this.#library = buildLibrary(tokenizer, tokenizerConfig);
    for (const { id, content, special } of added) {
      if (special) this.#specialIds.add(id);
      this.#addedBytes.set(id, special ? NO_BYTES : encodeUtf8(content));
    }
  }

  encode(text: string): number[] {
    const ids: unknown[] = this.#library.encode(text).ids;
    const isId = (id: unknown): id is number => typeof id === 'number';
    if (ids.every(isId)) return ids;
    throw new InvalidArgumentError('prompt must not hold characters that the tokenizer lacks');
  }

  tokenBytes(id: number, previous: number | undefined): Uint8Array {
    const bytes = this.#addedBytes.get(id) ?? this.#vocabularyBytes(id);
    const startsText = previous === undefined || this.#specialIds.has(previous);
    const dropsSpace = this.#decoding.dropsLeadingSpace && startsText && bytes[0] === 0x20;
    return dropsSpace ? bytes.subarray(1) : bytes;
  }

  #vocabularyBytes(id: number): Uint8Array {
    const token = this.#library.id_to_token(id);
    return token === undefined ? NO_BYTES : this.#decoding.toBytes(token);
  }
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

function listAddedTokens(tokenizer: Fields): AddedToken[] {
  const list = tokenizer.added_tokens ?? [];
  if (!Array.isArray(list)) {
    throw new ModelError(
      `tokenizer.json's added_tokens must be a list, not ${describeValue(list)}`,
    );
  }
  return list.map((token: unknown) => {
    if (!isFields(token) || !isTokenId(token.id) || typeof token.content !== 'string') {
      throw new ModelError(
        `tokenizer.json's added_tokens must each have an id and a content, not ${describeValue(token)}`,
      );
    }
    return { id: token.id, content: token.content, special: token.special === true };
  });
}

function highestVocabularyId(tokenizer: Fields): number {
  const vocab = isFields(tokenizer.model) ? tokenizer.model.vocab : undefined;
  if (Array.isArray(vocab)) return vocab.length - 1; // Unigram: pairs of token and score
  const ids = isFields(vocab) ? Object.values(vocab) : [];
  if (ids.length === 0 || !ids.every(isTokenId)) {
    throw new ModelError(
      `tokenizer.json's model.vocab must map tokens to ids below ${MAX_VOCAB_SIZE}, not be ${describeValue(vocab)}`,
    );
  }
  return highestId(ids);
}

function highestId(ids: readonly number[]): number {
  return ids.reduce((highest, id) => Math.max(highest, id), 0);
}

function isTokenId(id: unknown): id is number {
  return Number.isInteger(id) && Number(id) >= 0 && Number(id) < MAX_VOCAB_SIZE;
}

/** The library reports a malformed file by whatever its parts happen to throw. */
function buildLibrary(tokenizer: Fields, tokenizerConfig: Fields): Library {
  try {
    return new Library(tokenizer, tokenizerConfig);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`tokenizer.json cannot be used: ${reason}`, { cause });
  }
}
