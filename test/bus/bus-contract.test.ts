import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, type TestContext, test } from 'node:test';
import type { Bus, BusMessage } from '../../services/bus/bus.ts';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import { connectNats } from '../../services/bus/nats-bus.ts';
import { withBroker } from '../support/broker.ts';

type Connect = (options?: { noEcho?: boolean }) => Promise<Bus>;

/** Gives a function that connects to one fresh broker, or undefined where the test is skipped. */
type MakeBroker = (t: TestContext) => Promise<Connect | undefined>;

async function makeMemoryBroker(): Promise<Connect> {
  const broker = new MemoryBroker();
  return async (options) => broker.connect(options);
}

async function makeNatsBroker(t: TestContext): Promise<Connect | undefined> {
  const broker = await withBroker(t);
  if (broker === undefined) return undefined;
  return async (options) => {
    const bus = await connectNats({ servers: broker.url, name: 'contract', ...options });
    t.after(() => bus.close());
    return bus;
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(message: BusMessage): string {
  return new TextDecoder().decode(message.data);
}

/** Collects `subject=data` of what arrives. */
function collect(bus: Bus, subject: string, options: { queue?: string } = {}): string[] {
  const received: string[] = [];
  bus.subscribe(
    subject,
    (message) => received.push(`${message.subject}=${decode(message)}`),
    options,
  );
  return received;
}

function defineContract(name: string, makeBroker: MakeBroker): void {
  const contract = (title: string, body: (connect: Connect) => Promise<void>) =>
    test(title, async (t) => {
      const connect = await makeBroker(t);
      if (connect !== undefined) await body(connect);
    });

  suite(`Bus contract: ${name}`, () => {
    contract(
      'a message reaches every subscriber of its subject and nobody else',
      async (connect) => {
        const [publisher, reader] = [await connect(), await connect()];
        const [first, second] = [collect(reader, 'a.b'), collect(reader, 'a.b')];
        const others = [collect(reader, 'a'), collect(reader, 'a.b.c'), collect(reader, 'A.b')];
        await reader.flush();
        publisher.publish('a.b', encode('x'));
        await publisher.flush();
        await reader.flush();
        assert.deepEqual([first, second], [['a.b=x'], ['a.b=x']]);
        assert.deepEqual(others, [[], [], []]);
      },
    );

    contract('* stands for exactly one token and > for one or more', async (connect) => {
      const bus = await connect();
      const subjects = ['t', 't.a', 't.b', 't.a.c', 't.a.c.d', 'u.a'];
      const patterns = {
        't.*': ['t.a', 't.b'],
        't.>': ['t.a', 't.b', 't.a.c', 't.a.c.d'],
        't.*.c': ['t.a.c'],
        't.*.>': ['t.a.c', 't.a.c.d'],
        '*': ['t'],
        '*.a': ['t.a', 'u.a'],
        '>': subjects,
      };
      const received = Object.keys(patterns).map((pattern) => collect(bus, pattern));
      for (const subject of subjects) bus.publish(subject, encode(''));
      await bus.flush();
      for (const [index, expected] of Object.values(patterns).entries()) {
        assert.deepEqual(
          received[index],
          expected.map((subject) => `${subject}=`),
          Object.keys(patterns)[index],
        );
      }
    });

    contract('one member of a queue group gets each message, others get all', async (connect) => {
      const [publisher, left, right] = [await connect(), await connect(), await connect()];
      const members = [
        collect(left, 'work', { queue: 'q' }),
        collect(right, 'work', { queue: 'q' }),
        collect(right, '*', { queue: 'q' }),
      ];
      const otherGroup = collect(left, 'work', { queue: 'r' });
      const alone = collect(right, 'work');
      await left.flush();
      await right.flush();
      const expected = Array.from({ length: 300 }, (_, index) => `work=${index}`);
      for (let index = 0; index < 300; index += 1) publisher.publish('work', encode(`${index}`));
      await publisher.flush();
      await left.flush();
      await right.flush();
      assert.deepEqual(members.flat().toSorted(), expected.toSorted());
      for (const member of members) assert.ok(member.length > 0, 'a member got nothing');
      assert.deepEqual(otherGroup, expected);
      assert.deepEqual(alone, expected);
    });

    contract('10,000 messages of one publisher arrive in order', async (connect) => {
      const [publisher, reader] = [await connect(), await connect()];
      const received = collect(reader, 'order.>');
      await reader.flush();
      for (let index = 0; index < 10_000; index += 1) {
        publisher.publish(`order.${index % 7}`, encode(`${index}`));
      }
      await publisher.flush();
      await reader.flush();
      const expected = Array.from({ length: 10_000 }, (_, index) => `order.${index % 7}=${index}`);
      assert.deepEqual(received, expected);
    });

    contract('a reply subject travels with the message, or is undefined', async (connect) => {
      const [client, server] = [await connect(), await connect()];
      const replySubjects: (string | undefined)[] = [];
      server.subscribe('double', (message) => {
        replySubjects.push(message.replyTo);
        if (message.replyTo === undefined) return;
        server.publish(message.replyTo, encode(`${Number(decode(message)) * 2}`));
      });
      await server.flush();
      const inbox = client.newInbox();
      const answer = new Promise((resolve) => {
        client.subscribe(inbox, (message) => resolve(decode(message)));
      });
      client.publish('double', encode('20'));
      client.publish('double', encode('21'), { replyTo: inbox });
      assert.equal(await answer, '42');
      assert.deepEqual(replySubjects, [undefined, inbox]);
    });

    contract('where nobody listens, the reply subject gets an empty message', async (connect) => {
      const [client, other] = [await connect(), await connect()];
      const inbox = client.newInbox();
      const received: string[] = [];
      client.subscribe(inbox, (message) => received.push(`client ${message.data.length}`));
      other.subscribe(`${inbox}`, () => received.push('other'));
      await Promise.all([client.flush(), other.flush()]);
      client.publish('nobody', encode('x'), { replyTo: inbox });
      client.publish('nobody', encode('x'));
      await Promise.all([client.flush(), other.flush()]);
      assert.deepEqual(received, ['client 0']);
    });

    contract('inboxes are all different, of one connection and of several', async (connect) => {
      const buses = [await connect(), await connect()];
      const inboxes = buses.flatMap((bus) => Array.from({ length: 1_000 }, () => bus.newInbox()));
      assert.equal(new Set(inboxes).size, 2_000);
    });

    contract('nothing arrives after unsubscribe, also not what was on its way', async (connect) => {
      const bus = await connect();
      const received: string[] = [];
      const subscription = bus.subscribe('s', (message) => {
        received.push(decode(message));
        subscription.unsubscribe();
      });
      const kept = collect(bus, 's');
      for (const text of ['1', '2', '3']) bus.publish('s', encode(text));
      await bus.flush();
      bus.publish('s', encode('4'));
      await bus.flush();
      assert.deepEqual(received, ['1']);
      assert.deepEqual(kept, ['s=1', 's=2', 's=3', 's=4']);
      subscription.unsubscribe();
    });

    contract('a subscription sees what is published after it, not before', async (connect) => {
      const bus = await connect();
      bus.publish('s', encode('before'));
      const received = collect(bus, 's');
      bus.publish('s', encode('after'));
      await bus.flush();
      assert.deepEqual(received, ['s=after']);
    });

    contract('handlers run later, never inside publish', async (connect) => {
      const bus = await connect();
      const received = collect(bus, 's');
      bus.publish('s', encode('x'));
      assert.deepEqual(received, []);
      await bus.flush();
      assert.deepEqual(received, ['s=x']);
    });

    contract('a connection hears itself unless it asks not to', async (connect) => {
      const [echoing, silent] = [await connect(), await connect({ noEcho: true })];
      const received = [collect(echoing, 's'), collect(silent, 's')];
      await silent.flush();
      await echoing.flush();
      echoing.publish('s', encode('1'));
      await echoing.flush();
      silent.publish('s', encode('2'));
      await silent.flush();
      await echoing.flush();
      assert.deepEqual(received, [['s=1', 's=2'], ['s=1']]);
    });

    contract('payloads of 30 KB and of no bytes arrive unchanged', async (connect) => {
      const [publisher, reader] = [await connect(), await connect()];
      const sizes = [0, 1, 30_000, 32_767, 65_536, 1_000_000];
      const payloads = Array.from({ length: 60 }, (_, index) => randomBytes(sizes[index % 6]!));
      const received: Buffer[] = [];
      reader.subscribe('bytes', ({ data }) => received.push(Buffer.from(data)));
      await reader.flush();
      for (const payload of payloads) publisher.publish('bytes', payload);
      await publisher.flush();
      await reader.flush();
      assert.equal(received.length, payloads.length);
      for (const [index, payload] of payloads.entries())
        assert.ok(payload.equals(received[index]!));
    });

    contract('a buffer may be used again after a flush', async (connect) => {
      const [publisher, reader] = [await connect(), await connect()];
      const received = collect(reader, 's');
      await reader.flush();
      const buffer = encode('first');
      publisher.publish('s', buffer);
      await publisher.flush();
      buffer.set(encode('other'));
      publisher.publish('s', buffer);
      await publisher.flush();
      await reader.flush();
      assert.deepEqual(received, ['s=first', 's=other']);
    });

    contract('close sends what was published, and ends the connection', async (connect) => {
      const [publisher, reader] = [await connect(), await connect()];
      const statuses: string[] = [];
      publisher.onStatus((status) => statuses.push(status));
      const [mine, received] = [collect(publisher, 's'), collect(reader, 's')];
      await reader.flush();
      publisher.publish('s', encode('last'));
      await Promise.all([publisher.close(), publisher.close()]);
      reader.publish('s', encode('later'));
      await reader.flush();
      assert.deepEqual(mine, ['s=last']);
      assert.deepEqual(received, ['s=last', 's=later']);
      assert.deepEqual(statuses, ['closed']);
      assert.throws(() => publisher.publish('s', encode('x')), /the bus is closed/);
      assert.throws(() => publisher.subscribe('s', () => {}), /the bus is closed/);
      await assert.rejects(publisher.flush(), /the bus is closed/);
    });
  });
}

defineContract('MemoryBroker', makeMemoryBroker);
defineContract('NATS', makeNatsBroker);
