import { findNamed } from '../../core/support/nearest.ts';
import { CHAT } from './chat.ts';
import { CODING_AGENT } from './coding-agent.ts';
import type { VendorScenario } from './vendor-scenario.ts';
import { VIDEO_GENERATION } from './video-generation.ts';
import { VIDEO_QUESTION } from './video-question.ts';
import { VOICE } from './voice.ts';

/** Every scenario that is worked out. */
export const VENDOR_SCENARIOS: readonly VendorScenario[] = [
  VOICE,
  VIDEO_QUESTION,
  CODING_AGENT,
  CHAT,
  VIDEO_GENERATION,
];

/** The scenario of that name; an InvalidArgumentError names those that there are. */
export function findVendorScenario(name: string): VendorScenario {
  return findNamed(VENDOR_SCENARIOS, name, { field: 'scenario', namesOf: (it) => [it.name] });
}
