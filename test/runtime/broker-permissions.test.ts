import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { nkeys } from 'nats';
import type { Bus } from '../../services/bus/bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { createClusterKeys, writeClusterKeys } from '../../services/runtime/broker/cluster-keys.ts';
import { type SecuredBroker, withSecuredBroker } from '../support/secured-broker.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';

const nothing = new Uint8Array();

type Attempt = readonly [operation: 'publish' | 'subscribe', subject: string];

/** Tries as a member; rejects where the broker refuses. */
async function attempt(bus: Bus, [operation, subject]: Attempt): Promise<void> {
  if (operation === 'publish') bus.publish(subject, nothing);
  else bus.subscribe(subject, () => {}).unsubscribe();
  await bus.flush();
}

const FORBIDDEN: Readonly<Record<string, readonly Attempt[]>> = {
  'client-alice': [
    ['subscribe', '>'],
    ['subscribe', 'sohu.>'],
    ['subscribe', 'sohu.test.0.command'],
    ['subscribe', 'sohu.test.0.report.*'],
    ['subscribe', 'sohu.test.0.xfer.all.*'],
    ['subscribe', 'sohu.*.*.xfer.>'],
    ['subscribe', 'sohu.test.api.>'],
    ['subscribe', '_INBOX.>'],
    ['subscribe', '$SRV.>'],
    ['subscribe', '$SYS.>'],
    ['publish', 'sohu.test.0.command'],
    ['publish', 'sohu.test.0.report.0'],
    ['publish', 'sohu.test.0.xfer.all.0'],
    ['publish', 'sohu.test.api.Inference.Abort'],
    ['publish', 'sohu.test.api.Inference.Abort.coordinator-1'],
    ['publish', 'sohu.test.api.Inference.SubscribeKvEvents'],
    ['publish', 'sohu.test.api.Telemetry.Watch'],
    ['publish', 'sohu.other.api.Inference.Generate'],
    ['publish', '$SYS.REQ.SERVER.PING'],
    ['publish', '_INBOX.somebody.1'],
  ],
  gateway: [
    ['subscribe', 'sohu.test.0.xfer.all.*'],
    ['subscribe', '_INBOX.>'],
    ['publish', 'sohu.test.0.command'],
  ],
  'chip-0-1': [
    ['publish', 'sohu.test.0.xfer.0.0'],
    ['publish', 'sohu.test.0.xfer.all.0'],
    ['publish', 'sohu.test.0.report.0'],
    ['publish', 'sohu.test.0.command'],
    ['publish', 'sohu.test.1.xfer.0.1'],
    ['publish', 'sohu.test.api.Inference.Generate'],
    ['publish', '_INBOX.somebody.1'],
    ['subscribe', 'sohu.test.0.xfer.0.*'],
    ['subscribe', 'sohu.test.0.xfer.>'],
    ['subscribe', 'sohu.test.0.report.*'],
    ['subscribe', 'sohu.test.1.command'],
    ['subscribe', 'sohu.test.api.>'],
    ['subscribe', '_INBOX.>'],
  ],
  'chip-0-2-3': [
    ['publish', 'sohu.test.0.xfer.all.1'],
    ['publish', 'sohu.test.0.report.1'],
    ['subscribe', 'sohu.test.0.xfer.1.*'],
  ],
  'coordinator-0': [
    ['publish', 'sohu.test.1.command'],
    ['publish', 'sohu.test.0.report.0'],
    ['publish', 'sohu.test.0.xfer.all.0'],
    ['subscribe', 'sohu.test.1.report.*'],
    ['subscribe', 'sohu.test.0.xfer.all.*'],
    ['subscribe', '_INBOX.>'],
  ],
  monitoring: [
    ['publish', 'sohu.test.api.Inference.Generate'],
    ['publish', 'sohu.test.0.command'],
    ['subscribe', 'sohu.test.0.report.*'],
  ],
};

const ALLOWED: Readonly<Record<string, readonly Attempt[]>> = {
  'client-alice': [
    ['publish', 'sohu.test.api.Inference.Generate'],
    ['publish', 'sohu.test.api.control.all'],
  ],
  gateway: [
    ['publish', 'sohu.test.api.Inference.Abort'],
    ['publish', '$SRV.INFO'],
  ],
  'chip-0-1': [
    ['publish', 'sohu.test.0.xfer.0.1'],
    ['publish', 'sohu.test.0.xfer.all.1'],
    ['publish', 'sohu.test.0.report.1'],
    ['subscribe', 'sohu.test.0.xfer.1.*'],
    ['subscribe', 'sohu.test.0.xfer.all.*'],
    ['subscribe', 'sohu.test.0.command'],
  ],
  'chip-0-2-3': [
    ['publish', 'sohu.test.0.xfer.all.2'],
    ['publish', 'sohu.test.0.report.3'],
    ['subscribe', 'sohu.test.0.xfer.3.*'],
  ],
  'coordinator-0': [
    ['publish', 'sohu.test.0.command'],
    ['publish', '_INBOX.somebody.1'],
    ['subscribe', 'sohu.test.0.report.*'],
    ['subscribe', 'sohu.test.api.Inference.Generate'],
    ['subscribe', '$SRV.PING'],
  ],
  monitoring: [
    ['publish', '$SRV.PING'],
    ['publish', 'sohu.test.api.Inference.GetServerInfo'],
    ['publish', 'sohu.test.api.Telemetry.Watch.coordinator-1'],
  ],
};

suite('a broker with keys', () => {
  test('refuses every member what is not its own', async (t) => {
    const secured = await withSecuredBroker(t);
    if (secured === undefined) return;
    for (const [member, attempts] of Object.entries(FORBIDDEN)) {
      const bus = await secured.connect(member);
      for (const each of attempts) {
        await assert.rejects(attempt(bus, each), /the broker refused/, `${member}: ${each}`);
      }
    }
  });

  test('lets every member do its work', async (t) => {
    const secured = await withSecuredBroker(t);
    if (secured === undefined) return;
    for (const [member, attempts] of Object.entries(ALLOWED)) {
      const bus = await secured.connect(member);
      bus.subscribe(`${bus.newInbox()}.*`, () => {});
      const isChip = member.startsWith('chip');
      // Chips ask nobody, so they have no inboxes.
      if (isChip) await assert.rejects(bus.flush(), /the broker refused/);
      for (const each of attempts) await attempt(bus, each);
    }
  });

  test('lets in nobody without a key that it knows', async (t) => {
    const secured = await withSecuredBroker(t);
    if (secured === undefined) return;
    await assert.rejects(secured.connect(), /Authorization Violation/i);
    const nkeyFile = join(makeTemporaryDirectory(t), 'stranger.nk');
    writeFileSync(nkeyFile, nkeys.createUser().getSeed());
    const { url } = secured.broker;
    const stranger = connectNats({ servers: url, name: 'stranger', nkeyFile });
    await assert.rejects(stranger, /Authorization Violation/i);
  });

  test('keeps the answers to one client from every other', async (t) => {
    const secured = await withSecuredBroker(t);
    if (secured === undefined) return;
    const [alice, bob, coordinator] = await connectAll(secured, 'client-alice', 'client-bob');
    const inbox = alice!.newInbox();
    await assert.rejects(attempt(bob!, ['subscribe', `${inbox}.*`]), /the broker refused/);
    assert.deepEqual(await heard(alice!, `${inbox}.*`, coordinator!, `${inbox}.1`), ['1']);
  });

  test('answers heartbeats of calls that a client does not have, and only those', async (t) => {
    const secured = await withSecuredBroker(t);
    if (secured === undefined) return;
    const [alice, , coordinator] = await connectAll(secured, 'client-alice', 'client-bob');
    const abandoned = coordinator!.newInbox();
    const inbox = alice!.newInbox();
    alice!.subscribe(inbox, ({ replyTo }) => alice!.publish(replyTo!, nothing));
    await alice!.flush();
    const answered = new Promise<void>((resolve) => {
      coordinator!.subscribe(abandoned, () => resolve());
    });
    coordinator!.publish(inbox, nothing, { replyTo: abandoned });
    await answered;
    await assert.rejects(attempt(alice!, ['publish', abandoned]), /the broker refused/);
  });
});

suite('a broker that lets others in as clients', () => {
  test('keeps them from the fabric', async (t) => {
    const secured = await withSecuredBroker(t, { anonymous: true });
    if (secured === undefined) return;
    const bus = await secured.connect();
    const passes = /_INBOX\.>|^sohu\.test\.api\.\w+\./;
    for (const each of FORBIDDEN['client-alice']!.filter(([, subject]) => !passes.test(subject))) {
      await assert.rejects(attempt(bus, each), /the broker refused/, `${each}`);
    }
    const allowed = [...ALLOWED['client-alice']!, ...ALLOWED.gateway!, ...ALLOWED.monitoring!];
    for (const each of allowed) await attempt(bus, each);
  });

  test('gives them no answer to somebody with a key, whatever they subscribe to', async (t) => {
    const secured = await withSecuredBroker(t, { anonymous: true });
    if (secured === undefined) return;
    const [alice, anonymous, coordinator] = await connectAll(secured, 'client-alice', undefined);
    const inbox = alice!.newInbox();
    // The broker lets wildcards in the middle pass, and holds back what they would match.
    const stolen: string[] = [];
    for (const subject of ['_INBOX.>', '_INBOX.*.>', '_INBOX.*.*']) {
      anonymous!.subscribe(subject, (message) => stolen.push(message.subject));
    }
    await anonymous!.flush();
    assert.deepEqual(await heard(alice!, `${inbox}.*`, coordinator!, `${inbox}.1`), ['1']);
    await anonymous!.flush();
    assert.deepEqual(stolen, []);
    const own = anonymous!.newInbox();
    assert.deepEqual(await heard(anonymous!, `${own}.*`, coordinator!, `${own}.1`), ['1']);
  });
});

test('seeds are readable by their owner alone, and keys are not replaced', (t) => {
  const directory = join(makeTemporaryDirectory(t), 'keys');
  const keys = createClusterKeys({ cluster: 'c', groups: ['0'], chips: [[0]], clients: ['a'] });
  writeClusterKeys(directory, keys);
  const modes = [...keys.seeds.keys()].map(
    (member) => statSync(join(directory, `${member}.nk`)).mode & 0o777,
  );
  assert.deepEqual(new Set(modes), new Set([0o600]));
  assert.equal(keys.seeds.size, 6);
  assert.throws(() => writeClusterKeys(directory, keys), /is there already/);
  for (const seed of keys.seeds.values()) assert.ok(!keys.authorization.includes(seed));
});

test('a file without a user’s seed is named', async (t) => {
  const nkeyFile = join(makeTemporaryDirectory(t), 'seed.nk');
  const connect = (): Promise<Bus> =>
    connectNats({ servers: 'nats://127.0.0.1:1', name: 'test', nkeyFile });
  await assert.rejects(connect(), /seed\.nk could not be read: ENOENT/);
  for (const text of ['', 'no seed', new TextDecoder().decode(nkeys.createAccount().getSeed())]) {
    writeFileSync(nkeyFile, text);
    await assert.rejects(connect(), /seed\.nk must hold the nkey seed of a user/);
  }
});

/** The last tokens of the subjects that `reader` hears when `writer` publishes. */
async function heard(
  reader: Bus,
  pattern: string,
  writer: Bus,
  subject: string,
): Promise<readonly string[]> {
  const subjects: string[] = [];
  reader.subscribe(pattern, (message) => subjects.push(message.subject.split('.').at(-1)!));
  await reader.flush();
  writer.publish(subject, nothing);
  await writer.flush();
  await reader.flush();
  return subjects;
}

/** Connections of two members, or of nobody, and of a coordinator. */
async function connectAll(
  secured: SecuredBroker,
  first: string | undefined,
  second: string | undefined,
): Promise<Bus[]> {
  return Promise.all([first, second, 'coordinator-0'].map((member) => secured.connect(member)));
}
