import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';

const nothing = new Uint8Array();

/** The wildcards written as a regular expression: an independent statement of the same rule. */
function patternAsRegExp(pattern: string): RegExp {
  const tokens = pattern.split('.').map((token) => {
    if (token === '>') return '.+';
    return token === '*' ? '[^.]+' : token;
  });
  return new RegExp(`^${tokens.join('\\.')}$`);
}

const token = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(
    fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }),
    fc.constantFrom([], ['>']),
  )
  .map((parts) => parts.flat().join('.'));

suite('MemoryBroker', () => {
  test('agrees with a regular expression about every pattern and subject', async () => {
    const property = fc.asyncProperty(
      fc.array(pattern, { minLength: 1, maxLength: 6 }),
      fc.array(subject, { maxLength: 12 }),
      async (patterns, subjects) => {
        const bus = new MemoryBroker().connect();
        const received: string[] = [];
        for (const each of patterns) {
          bus.subscribe(each, (message) => received.push(`${each} ${message.subject}`));
        }
        for (const each of subjects) bus.publish(each, nothing);
        await bus.flush();
        const expected = subjects.flatMap((sent) =>
          patterns
            .filter((each) => patternAsRegExp(each).test(sent))
            .map((each) => `${each} ${sent}`),
        );
        assert.deepEqual(received.toSorted(), expected.toSorted());
      },
    );
    await fc.assert(property);
  });

  test('delivers only when the injected schedule runs, in one global order', () => {
    const tasks: (() => void)[] = [];
    const broker = new MemoryBroker({ schedule: (task) => tasks.push(task) });
    const [left, right] = [broker.connect(), broker.connect()];
    const received: string[] = [];
    left.subscribe('ping', () => {
      received.push('ping');
      left.publish('pong', nothing);
    });
    right.subscribe('>', (message) => received.push(`right ${message.subject}`));
    right.publish('ping', nothing);
    left.publish('other', nothing);
    assert.deepEqual(received, []);
    while (tasks.length > 0) tasks.shift()!();
    assert.deepEqual(received, ['ping', 'right ping', 'right other', 'right pong']);
  });

  test('a full queue refuses a message for all its receivers, and takes it once there is room', () => {
    const tasks: (() => void)[] = [];
    const broker = new MemoryBroker({ schedule: (task) => tasks.push(task), maxPending: 5 });
    const bus = broker.connect();
    let received = 0;
    for (let index = 0; index < 2; index += 1) bus.subscribe('s', () => (received += 1));
    bus.publish('s', nothing);
    bus.publish('s', nothing);
    assert.throws(() => bus.publish('s', nothing), /holds 4 undelivered messages and may hold 5/);
    tasks.shift()!();
    assert.equal(received, 4);
    bus.publish('s', nothing);
    tasks.shift()!();
    assert.equal(received, 6);
  });

  test('copies what is published, so that the buffer may be reused at once', async () => {
    const bus = new MemoryBroker().connect();
    const received: number[] = [];
    bus.subscribe('s', ({ data }) => received.push(data[0]!));
    const buffer = Buffer.from([1]);
    bus.publish('s', buffer);
    buffer[0] = 2;
    bus.publish('s', buffer);
    await bus.flush();
    assert.deepEqual(received, [1, 2]);
  });

  test('the members of a queue group take turns', async () => {
    const bus = new MemoryBroker().connect();
    const received: string[] = [];
    for (const member of ['a', 'b', 'c']) {
      bus.subscribe('s', () => received.push(member), { queue: 'q' });
    }
    for (let index = 0; index < 6; index += 1) bus.publish('s', nothing);
    await bus.flush();
    assert.equal(received.join(''), 'abcabc');
  });
});
