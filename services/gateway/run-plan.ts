import { setMaxListeners } from 'node:events';
import type { GenerateEvent } from '../client/index.ts';
import type { Engine } from './engine.ts';
import type { GenerationPlan } from './generation-plan.ts';

/** Takes an event of a prompt; where it returns a promise, no more is read before. */
export type EventSink = (event: GenerateEvent, prompt: number) => Promise<void> | undefined;

/**
 * Runs the prompts of a plan side by side; the first that fails ends the others, and its error is
 * thrown. What the engine holds for them is freed however it ends.
 */
export async function runPlan(
  engine: Pick<Engine, 'generateStream'>,
  plan: GenerationPlan,
  { signal, sink }: { readonly signal: AbortSignal; readonly sink: EventSink },
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  setMaxListeners(0, either); // Every prompt listens.
  await Promise.all(
    plan.prompts.map(async (tokenIds, prompt) => {
      const request = {
        ...plan.sampling,
        prompt: tokenIds,
        maxTokens: plan.maxTokens[prompt]!,
        requestId: plan.prompts.length === 1 ? plan.id : `${plan.id}-${prompt}`,
      };
      try {
        for await (const event of engine.generateStream(request, { signal: either })) {
          const wait = sink(event, prompt);
          if (wait !== undefined) await wait;
        }
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }),
  );
}
