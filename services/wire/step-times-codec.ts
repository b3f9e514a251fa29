import { sohu } from '#proto';
import {
  COMPUTE_KINDS,
  type ExchangeTimes,
  type SegmentTimes,
  type StepTimes,
} from '../cluster/step-times.ts';
import { EXCHANGE_ALGORITHMS, EXCHANGE_KINDS } from '../core/collectives/frame.ts';

const {
  StepTimes: StepTimesMessage,
  SegmentTimes: SegmentMessage,
  ExchangeTimes: ExchangeMessage,
} = sohu.v1;

export function encodeStepTimes(times: StepTimes): sohu.v1.StepTimes.$Properties {
  return { ...times, segments: [...times.segments], exchanges: [...times.exchanges] };
}

/** What has a name that is not known is left out: it is only looked at. */
export function decodeStepTimes(properties: sohu.v1.StepTimes.$Properties): StepTimes {
  const { beganMicros, endedMicros, tokens, computeMicros, communicationMicros, ...lists } =
    StepTimesMessage.create(properties);
  return {
    beganMicros,
    endedMicros,
    tokens,
    computeMicros,
    communicationMicros,
    segments: lists.segments.flatMap(decodeSegment),
    exchanges: lists.exchanges.flatMap(decodeExchange),
  };
}

function decodeSegment(properties: sohu.v1.SegmentTimes.$Properties): SegmentTimes[] {
  const { segment: name, layer, beganMicros, endedMicros } = SegmentMessage.create(properties);
  const segment = COMPUTE_KINDS.find((kind) => kind === name);
  return segment === undefined ? [] : [{ segment, layer, beganMicros, endedMicros }];
}

function decodeExchange(properties: sohu.v1.ExchangeTimes.$Properties): ExchangeTimes[] {
  const message = ExchangeMessage.create(properties);
  const operation = EXCHANGE_KINDS.find((kind) => kind === message.operation);
  const algorithm = EXCHANGE_ALGORITHMS.find((kind) => kind === message.algorithm);
  if (operation === undefined || algorithm === undefined) return [];
  const { layer, beganMicros, endedMicros, skewMicros, bytesSent } = message;
  return [{ operation, algorithm, layer, beganMicros, endedMicros, skewMicros, bytesSent }];
}
