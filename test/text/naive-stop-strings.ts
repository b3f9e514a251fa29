import type { StopRules } from '../../services/core/text/stop-strings.ts';

/** What a generation outputs, and what ended it. */
export interface StoppedText {
  readonly text: string;
  readonly matched: string | undefined;
  /** Tokens drawn, that of the match included. */
  readonly tokens: number;
}

/** Looks at the whole text of all tokens, at every place and for every string. */
export function stopNaively(pieces: readonly string[], rules: StopRules): StoppedText {
  const whole = pieces.join('');
  const tokenOf = pieces.flatMap((piece, token) =>
    Array.from({ length: piece.length }, () => token),
  );
  for (let end = 1; end <= whole.length; end++) {
    const token = tokenOf[end - 1]!;
    if (token < rules.minTokens) continue;
    for (const matched of rules.strings) {
      const start = end - matched.length;
      if (start < 0 || whole.slice(start, end) !== matched) continue;
      const text = whole.slice(0, rules.includeInOutput ? end : start);
      return { text, matched, tokens: token + 1 };
    }
  }
  return { text: whole, matched: undefined, tokens: pieces.length };
}

/** The tail of a text that could begin a stop string: looks at every length. */
export function heldNaively(text: string, strings: readonly string[]): string {
  for (let start = 0; start < text.length; start++) {
    const tail = text.slice(start);
    if (strings.some((string) => string !== tail && string.startsWith(tail))) return tail;
  }
  return '';
}
