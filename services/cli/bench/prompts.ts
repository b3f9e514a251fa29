import { type PlannedRequest, TRACE_BLOCK_TOKENS } from '../../sim/capacity/planned-request.ts';
import { Random } from '../../sim/random.ts';

/**
 * Ids that every common vocabulary has and that mean nothing special: below them are bytes and marks,
 * of Llama-2 too, and small vocabularies end not far above.
 */
const TOKENS = { first: 300, count: 1000 } as const;
/** Each a token of common vocabularies, with the space before it. */
const WORDS =
  'the of and to in is was for on that with as it by at from his an are were which be this had not but have you one all they who will their there been would when time more out about up into could its then two'.split(
    ' ',
  );
/** Streams of draws that workloads do not use. */
const FIRST_STREAM = 16;

/**
 * Makes up the tokens of a planned request: equal content ids give equal tokens, and what has none
 * shares nothing with any other request of any seed.
 */
export function promptTokens(
  { inputTokens, contentIds }: PlannedRequest,
  { seed, number }: { readonly seed: number; readonly number: number },
): readonly number[] {
  const draws = numbersOf(inputTokens, contentIds, new Random(seed, FIRST_STREAM + number));
  return draws.map((draw) => TOKENS.first + (draw % TOKENS.count));
}

/** As many words as the request has tokens, for a server that takes only text. */
export function promptText(
  { inputTokens, contentIds }: PlannedRequest,
  { seed, number }: { readonly seed: number; readonly number: number },
): string {
  const draws = numbersOf(inputTokens, contentIds, new Random(seed, FIRST_STREAM + number));
  return draws.map((draw) => WORDS[draw % WORDS.length]).join(' ');
}

function numbersOf(
  count: number,
  contentIds: readonly number[] | undefined,
  random: Random,
): number[] {
  if (contentIds === undefined) return drawn(count, random);
  return contentIds
    .flatMap((id) => drawn(TRACE_BLOCK_TOKENS, new Random(id, FIRST_STREAM - 1)))
    .slice(0, count);
}

function drawn(count: number, random: Random): number[] {
  return Array.from({ length: count }, () => random.integer(0, 0xffff));
}
