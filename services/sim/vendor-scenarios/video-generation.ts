import { chipCount } from '../../core/timing/layout.ts';
import { priceSample } from '../../core/timing/sample-price.ts';
import { scaled } from './serve.ts';
import { ANNOUNCEMENT, type VendorScenario } from './vendor-scenario.ts';

const WAN = 'huggingface.co/Wan-AI/Wan2.1-T2V-14B';
const FRAMES = { name: 'frames of a sample, 1280 × 720', value: 81, unit: 'frames', source: WAN };
const PACE = { name: 'frames of a second of video', value: 16, unit: 'frames/s', source: WAN };
const MILLION = 1e6;
const SECONDS_PER_MINUTE = 60;

/** A diffusion transformer at work. */
export const VIDEO_GENERATION: VendorScenario = {
  name: 'video-generation',
  title: 'Video from a diffusion transformer of 14 billion parameters',
  said: { text: '“Video models generate one frame per second”', source: ANNOUNCEMENT, value: 1 },
  model: 'wan-2.1-14b',
  assumptions: [FRAMES, PACE],
  caveats: [
    'Steps, passes and tokens of a sample are the model’s own; decoding its latents to pictures comes on top.',
    'One sample at a time is computed by all chips: the shortest wait, and not the most samples.',
  ],
  measure({ placed, end }) {
    const { secondsPerSample, pass, cost } = priceSample(placed, end);
    const { diffusion } = placed.architecture;
    const passes = secondsPerSample / pass.seconds;
    const secondsPerFrame = secondsPerSample / FRAMES.value;
    const millions = (passes * (diffusion?.sampleTokens ?? 0)) / MILLION;
    const samplesPerMinute = (SECONDS_PER_MINUTE * PACE.value) / FRAMES.value;
    const { breakdown } = pass;
    return {
      parts: {
        compute: passes * breakdown.computeSeconds,
        memory: passes * breakdown.memorySeconds,
        collectives: passes * breakdown.collectiveSeconds,
        overhead: passes * breakdown.overheadSeconds,
        elsewhere: 0,
      },
      measures: [
        { id: 'seconds_per_frame', name: 'A frame', unit: 's', value: secondsPerFrame },
        { id: 'sample_s', name: 'A sample of 81 frames', unit: 's', value: secondsPerSample },
        {
          id: 'chips_in_real_time',
          name: 'Chips for 16 frames/s',
          unit: 'count',
          value: Math.ceil(secondsPerFrame * PACE.value) * chipCount(placed.layout),
        },
        {
          id: 'dollars_per_minute',
          name: '$ a minute of video',
          unit: 'USD',
          value: scaled(cost.dollars, millions * samplesPerMinute),
        },
      ],
    };
  },
};
