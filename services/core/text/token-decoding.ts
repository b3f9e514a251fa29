import { ModelError } from '../support/errors.ts';
import { describeValue, type Fields, isFields } from '../support/fields.ts';
import { encodeUtf8 } from './utf8.ts';

/** How a tokenizer.json turns the text of a vocabulary entry into bytes. */
export interface TokenDecoding {
  toBytes(token: string): Uint8Array;
  /** Whether a space that starts the whole text is dropped. */
  readonly dropsLeadingSpace: boolean;
}

const SENTENCE_PIECE_SPACE = '\u2581';
const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;

/** Chooses between byte-level BPE and SentencePiece by the `decoder` of a tokenizer.json. */
export function detectTokenDecoding(decoder: unknown): TokenDecoding {
  const steps = listSteps(decoder);
  const types = steps.map((step) => step.type);
  if (types.includes('ByteLevel')) return { toBytes: decodeByteLevel, dropsLeadingSpace: false };
  if (types.includes('Metaspace') || types.includes('ByteFallback')) {
    return {
      toBytes: types.includes('ByteFallback') ? decodeWithByteFallback : decodeMetaspace,
      dropsLeadingSpace: steps.some(dropsLeadingSpace),
    };
  }
  throw new ModelError(
    `the tokenizer's decoder must be ByteLevel, Metaspace or a Sequence with ByteFallback, not ${describeValue(types)}`,
  );
}

function listSteps(decoder: unknown): Fields[] {
  if (!isFields(decoder)) return [];
  if (decoder.type !== 'Sequence' || !Array.isArray(decoder.decoders)) return [decoder];
  return decoder.decoders.filter(isFields);
}

function dropsLeadingSpace(step: Fields): boolean {
  if (step.type === 'Strip') return Number(step.start) > 0 && step.content === ' ';
  return (
    step.type === 'Metaspace' && step.prepend_scheme !== 'never' && step.add_prefix_space !== false
  );
}

function decodeWithByteFallback(token: string): Uint8Array {
  const byte = BYTE_TOKEN.exec(token)?.[1];
  return byte === undefined ? decodeMetaspace(token) : Uint8Array.of(Number.parseInt(byte, 16));
}

function decodeMetaspace(token: string): Uint8Array {
  return encodeUtf8(token.replaceAll(SENTENCE_PIECE_SPACE, ' '));
}

/**
 * An entry with a character outside the byte alphabet stands for itself, as in the Rust library.
 */
function decodeByteLevel(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return encodeUtf8(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/**
 * GPT-2's alphabet: printable Latin-1 characters are their own byte, the other bytes count up from
 * U+0100.
 */
const BYTE_OF_CHARACTER = buildByteAlphabet();

function buildByteAlphabet(): ReadonlyMap<string, number> {
  const alphabet = new Map<string, number>();
  let other = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    alphabet.set(String.fromCodePoint(printable ? byte : other++), byte);
  }
  return alphabet;
}
