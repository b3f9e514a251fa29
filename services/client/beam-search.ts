import { randomUUID } from 'node:crypto';
import type { TokenLogprob } from '../core/sampling/drawn-token.ts';
import { MAX_LOGPROBS } from '../core/sampling/params.ts';
import type { ServerInfo } from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';
import { allOrNone } from './all-or-none.ts';
import type { Completion } from './completion.ts';
import { checkInteger, checkNumber, INT32, invalidField } from './field-checks.ts';
import type { GenerateRequest } from './request.ts';

/** A prompt, and how to search for its likeliest continuations. */
export interface BeamSearchRequest
  extends Pick<
    GenerateRequest,
    'prompt' | 'requestId' | 'priority' | 'cacheSalt' | 'clientId' | 'ignoreEos'
  > {
  /** Continuations that are followed at the same time, from 1 to 64. */
  readonly beamWidth: number;
  /** Longest continuation. */
  readonly maxTokens: number;
  /** Exponent of the length that a score is divided by; 1 where absent, above it long texts gain. */
  readonly lengthPenalty?: number;
}

/** One continuation that a search found. */
export interface Beam {
  readonly tokenIds: readonly number[];
  readonly text: string;
  /** `stop` after an end-of-text token. */
  readonly finishReason: 'stop' | 'length';
  /** Sum of the natural logarithms of its tokens' probabilities. */
  readonly cumulativeLogprob: number;
  /**
   * `cumulativeLogprob` / length^`lengthPenalty`, where the length is that of the prompt and the
   * tokens but for an end-of-text token, as in vLLM.
   */
  readonly score: number;
}

export interface BeamSearchResult {
  readonly requestId: string;
  /** Length of the prompt. */
  readonly promptTokens: number;
  /** The best first; at most as many as the beam is wide. */
  readonly beams: readonly Beam[];
}

/** What a search needs of a client. */
export interface BeamSearchClient {
  /** The signal ends it. */
  generate(request: GenerateRequest, signal: AbortSignal): Promise<Completion>;
  serverInfo(): Promise<ServerInfo>;
  tokenize(text: string): Promise<readonly number[]>;
  detokenize(
    tokenIds: readonly number[],
    place: { readonly previousTokenId: number | undefined; readonly signal: AbortSignal },
  ): Promise<string>;
}

/** A beam on its way. */
interface Path {
  readonly tokenIds: readonly number[];
  readonly cumulativeLogprob: number;
  readonly score: number;
  readonly ended: boolean;
}

interface Search {
  readonly client: BeamSearchClient;
  /** What every one-token request has, but for the tokens of its beam. */
  readonly request: Omit<GenerateRequest, 'prompt'>;
  readonly promptIds: readonly number[];
  /** Empty where they are generated through. */
  readonly eosTokenIds: readonly number[];
  /** Most tokens that a beam may have. */
  readonly maxTokens: number;
  readonly lengthPenalty: number;
}

const MAX_BEAM_WIDTH = MAX_LOGPROBS / 2;

/**
 * Searches as vLLM does: in every round each beam asks for one token and the log-probabilities of
 * the `2 * beamWidth` likeliest, and the best of all extended beams go on. An end-of-text token
 * ends a beam. Of equal scores the smaller token ids come first.
 */
export async function searchBeams(
  client: BeamSearchClient,
  request: BeamSearchRequest,
): Promise<BeamSearchResult> {
  const { beamWidth, requestId = randomUUID() } = request;
  checkBeamSearch(request);
  const search = await prepare(client, { ...request, requestId });
  const ended: Path[] = [];
  let beams: readonly Path[] = [{ tokenIds: [], cumulativeLogprob: 0, score: 0, ended: false }];
  for (let round = 0; round < search.maxTokens && beams.length > 0; round++) {
    const extensions = await allOrNone(beams, (beam, signal) => extend(search, beam, signal));
    const extended = extensions.flat();
    ended.push(...extended.filter((path) => path.ended));
    const open = extended.filter((path) => !path.ended);
    beams = open.sort(byScore).slice(0, beamWidth);
  }
  const paths = [...ended, ...beams].sort(byScore).slice(0, beamWidth);
  return {
    requestId,
    promptTokens: search.promptIds.length,
    beams: await allOrNone(paths, (path, signal) => toBeam(search, path, signal)),
  };
}

/**
 * Throws INVALID_ARGUMENT for a search that no server could serve: a constraint, which allows a
 * beam's next token by those before it, would begin anew with each of the search's requests.
 */
export function checkBeamSearch(
  request: Partial<BeamSearchRequest> & Pick<BeamSearchRequest, 'beamWidth' | 'maxTokens'>,
): void {
  const { beamWidth, maxTokens, lengthPenalty = 1 } = request;
  const { structuredOutputs } = request as GenerateRequest;
  if (structuredOutputs !== undefined) {
    throw invalidField('structuredOutputs', 'absent in a beam search', structuredOutputs);
  }
  checkInteger('beamWidth', beamWidth, { from: 1, to: MAX_BEAM_WIDTH });
  checkInteger('maxTokens', maxTokens, { from: 1, to: INT32.to });
  checkNumber('lengthPenalty', lengthPenalty);
  if (!Number.isFinite(lengthPenalty)) {
    throw invalidField('lengthPenalty', 'a finite number', lengthPenalty);
  }
}

/** Asks the server for what the search must know: the prompt's ids, and when a text is over. */
async function prepare(client: BeamSearchClient, request: BeamSearchRequest): Promise<Search> {
  const { prompt, beamWidth, maxTokens, lengthPenalty = 1, ignoreEos, ...names } = request;
  const { eosTokenIds, maxContextLength } = await client.serverInfo();
  const promptIds = typeof prompt === 'string' ? await client.tokenize(prompt) : prompt;
  const one = { maxTokens: 1, temperature: 0, logprobs: 2 * beamWidth };
  return {
    client,
    request: { ...names, ...one },
    promptIds,
    eosTokenIds: ignoreEos ? [] : eosTokenIds,
    // A prompt that leaves no room is for the server to refuse.
    maxTokens: Math.min(maxTokens, Math.max(1, maxContextLength - promptIds.length)),
    lengthPenalty,
  };
}

async function extend(search: Search, beam: Path, signal: AbortSignal): Promise<Path[]> {
  const { client, request, promptIds } = search;
  const prompt = [...promptIds, ...beam.tokenIds];
  const { choices } = await client.generate({ ...request, prompt }, signal);
  const [logprobs] = choices[0]!.logprobs;
  if (logprobs === undefined) {
    throw new RpcError('DATA_LOSS', 'the server sent no log-probabilities');
  }
  return logprobs.top.map((next) => extendBy(search, beam, next));
}

function extendBy(search: Search, beam: Path, next: TokenLogprob): Path {
  const tokenIds = [...beam.tokenIds, next.token];
  const cumulativeLogprob = beam.cumulativeLogprob + next.logprob;
  const ended = search.eosTokenIds.includes(next.token);
  const length = search.promptIds.length + tokenIds.length - (ended ? 1 : 0);
  const score = cumulativeLogprob / length ** search.lengthPenalty;
  return { tokenIds, cumulativeLogprob, score, ended };
}

async function toBeam(
  { client, promptIds }: Search,
  path: Path,
  signal: AbortSignal,
): Promise<Beam> {
  const { tokenIds, cumulativeLogprob, score, ended } = path;
  const visible = ended ? tokenIds.slice(0, -1) : tokenIds;
  const text = await client.detokenize(visible, { previousTokenId: promptIds.at(-1), signal });
  return { tokenIds, text, finishReason: ended ? 'stop' : 'length', cumulativeLogprob, score };
}

/** The best first; of equal ones the first in the order of their token ids. */
function byScore(a: Path, b: Path): number {
  if (a.score !== b.score) return b.score - a.score;
  const different = a.tokenIds.findIndex((id, index) => id !== b.tokenIds[index]);
  return different < 0 ? -1 : a.tokenIds[different]! - (b.tokenIds[different] ?? -1);
}
