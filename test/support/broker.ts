import type { TestContext } from 'node:test';
import { BrokerUnavailableError } from '../../services/runtime/broker/broker-unavailable-error.ts';
import { findNatsServer } from '../../services/runtime/broker/find-nats-server.ts';
import { type Broker, startBroker } from '../../services/runtime/broker/nats-server.ts';
import { requireOrSkip } from './requirements.ts';

/** Finds a nats-server, or skips the test and gives undefined where there is none. */
export async function natsServerBinary(t: TestContext): Promise<string | undefined> {
  try {
    return await findNatsServer();
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    requireOrSkip(t, false, error.message);
    return undefined;
  }
}

/** A real broker for the length of one test; undefined where the test is skipped for want of one. */
export async function withBroker(t: TestContext): Promise<Broker | undefined> {
  const binary = await natsServerBinary(t);
  if (binary === undefined) return undefined;
  const broker = await startBroker({ binary });
  t.after(() => broker.stop());
  return broker;
}
