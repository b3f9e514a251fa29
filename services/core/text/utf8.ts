const REPLACEMENT = 0xfffd;

/** Encodes text as UTF-8; a lone surrogate becomes U+FFFD, as TextEncoder does. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) appendCodePoint(bytes, character.codePointAt(0) ?? 0);
  return Uint8Array.from(bytes);
}

function appendCodePoint(bytes: number[], codePoint: number): void {
  if (codePoint < 0x80) bytes.push(codePoint);
  else if (codePoint < 0x800) bytes.push(0xc0 | (codePoint >> 6), continuation(codePoint));
  else if (codePoint >= 0xd800 && codePoint <= 0xdfff) appendCodePoint(bytes, REPLACEMENT);
  else if (codePoint < 0x10000) {
    bytes.push(0xe0 | (codePoint >> 12), continuation(codePoint >> 6), continuation(codePoint));
  } else {
    bytes.push(0xf0 | (codePoint >> 18), continuation(codePoint >> 12));
    bytes.push(continuation(codePoint >> 6), continuation(codePoint));
  }
}

function continuation(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/**
 * Decodes UTF-8 piece by piece, as a streaming TextDecoder that keeps a byte order mark: invalid
 * sequences become U+FFFD, and a sequence that is not yet complete is held back.
 */
export class Utf8Decoder {
  #codePoint = 0;
  #missing = 0; // continuation bytes that the held-back sequence still needs
  #lower = 0x80; // bounds of its next byte
  #upper = 0xbf;

  /** Returns the text that is certain after these bytes. */
  push(bytes: Uint8Array): string {
    let text = '';
    for (const byte of bytes) text += this.#pushByte(byte);
    return text;
  }

  /** Ends the text: a held-back sequence becomes U+FFFD. */
  flush(): string {
    const text = this.#missing > 0 ? String.fromCodePoint(REPLACEMENT) : '';
    this.#missing = 0;
    return text;
  }

  #pushByte(byte: number): string {
    if (this.#missing === 0) return this.#start(byte);
    if (byte < this.#lower || byte > this.#upper) return this.flush() + this.#start(byte);
    this.#expect(this.#missing - 1, 0x80, 0xbf);
    this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
    return this.#missing === 0 ? String.fromCodePoint(this.#codePoint) : '';
  }

  #start(byte: number): string {
    if (byte < 0x80) return String.fromCodePoint(byte);
    if (byte < 0xc2 || byte > 0xf4) return String.fromCodePoint(REPLACEMENT);
    if (byte < 0xe0) {
      this.#expect(1, 0x80, 0xbf);
      this.#codePoint = byte & 0x1f;
    } else if (byte < 0xf0) {
      // Neither overlong forms nor surrogates.
      this.#expect(2, byte === 0xe0 ? 0xa0 : 0x80, byte === 0xed ? 0x9f : 0xbf);
      this.#codePoint = byte & 0xf;
    } else {
      // Neither overlong forms nor code points above U+10FFFF.
      this.#expect(3, byte === 0xf0 ? 0x90 : 0x80, byte === 0xf4 ? 0x8f : 0xbf);
      this.#codePoint = byte & 0x7;
    }
    return '';
  }

  #expect(missing: number, lower: number, upper: number): void {
    this.#missing = missing;
    this.#lower = lower;
    this.#upper = upper;
  }
}
