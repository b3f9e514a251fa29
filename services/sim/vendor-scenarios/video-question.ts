import type { PlannedRequest } from '../capacity/planned-request.ts';
import type { Workload } from '../capacity/workload.ts';
import { dollarsOfEach, partsOfEach, serve, serveAlone } from './serve.ts';
import { ANNOUNCEMENT, ASSUMED, type VendorScenario } from './vendor-scenario.ts';

const GEMINI_TOKENS = 'ai.google.dev/gemini-api/docs/tokens';
const LENGTH = {
  name: 'video',
  value: 420,
  unit: 's',
  source: `${ASSUMED}: the longest that fits the model’s context of 131,072`,
};
const PICTURES = { name: 'pictures', value: 263, unit: 'tokens/s of video', source: GEMINI_TOKENS };
const SOUND = { name: 'sound', value: 32, unit: 'tokens/s of video', source: GEMINI_TOKENS };
const QUESTION = { name: 'question', value: 50, unit: 'tokens', source: ASSUMED };
const ANSWER = { name: 'answer', value: 250, unit: 'tokens', source: ASSUMED };
const QUESTIONS = {
  name: 'questions that come together, each about another video, for the cost',
  value: 16,
  unit: 'questions',
  source: ASSUMED,
};
const MS_PER_SECOND = 1000;
const SECONDS_PER_HOUR = 3600;

/** A question about minutes of video. */
export const VIDEO_QUESTION: VendorScenario = {
  name: 'video-qa',
  title: 'A question about a video of seven minutes',
  said: {
    text: '“Today, Gemini takes over 60 seconds to answer a question about a video”',
    source: ANNOUNCEMENT,
    value: 60,
  },
  model: 'llama-3.1-70b',
  assumptions: [LENGTH, PICTURES, SOUND, QUESTION, ANSWER, QUESTIONS],
  caveats: [
    'The size and chips of Gemini are not disclosed; this is a model of 70 billion parameters on one server.',
    'Of the language model alone: uploading, decoding and encoding the video come on top.',
  ],
  measure(target) {
    const one = serveAlone(target, workloadOf(1));
    const all = serve(target, workloadOf(QUESTIONS.value));
    const { e2el, ttft } = one.report.latencies;
    return {
      parts: partsOfEach(one.parts, 1),
      measures: [
        { id: 'answer_s', name: 'Answer, alone', unit: 's', value: e2el.mean / MS_PER_SECOND },
        {
          id: 'first_token_s',
          name: 'First token, alone',
          unit: 's',
          value: ttft.mean / MS_PER_SECOND,
        },
        {
          id: 'questions_per_hour',
          name: 'Questions an hour',
          unit: 'count',
          value: SECONDS_PER_HOUR * all.requestsPerSecond,
        },
        {
          id: 'dollars_per_question',
          name: '$ a question',
          unit: 'USD',
          value: dollarsOfEach(all, QUESTIONS.value),
        },
      ],
    };
  },
};

function workloadOf(requests: number): Workload {
  const request: PlannedRequest = {
    arrivalMicros: 0,
    inputTokens: LENGTH.value * (PICTURES.value + SOUND.value) + QUESTION.value,
    outputTokens: ANSWER.value,
    contentIds: undefined,
  };
  const trace = Array.from({ length: requests }, () => request);
  return { kind: 'replayed', trace, requests: undefined, requestRate: undefined };
}
