import type { SearchOptions } from '../../client/client-options.ts';
import type { BeamSearchRequest, SohuClient } from '../../client/index.ts';
import { eachPrompt } from './each-prompt.ts';
import type { PromptResult } from './run-result.ts';

export interface SearchAllOptions {
  readonly client: SohuClient;
  readonly prompts: readonly string[];
  /** What all searches have in common. */
  readonly request: Omit<BeamSearchRequest, 'prompt'>;
  /** Number of each prompt's best beams to keep. */
  readonly shown: number;
  readonly call: SearchOptions;
}

/** Searches the likeliest continuations of all prompts at once; throws the first error. */
export function searchAll(options: SearchAllOptions): Promise<PromptResult[]> {
  const { client, prompts, request, shown, call } = options;
  return eachPrompt(prompts, async (prompt) => {
    const search = await client.beamSearch({ ...request, prompt }, call);
    return { kind: 'beams', prompt, search: { ...search, beams: search.beams.slice(0, shown) } };
  });
}
