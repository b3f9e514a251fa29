import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ClientLoop } from '../../services/sim/capacity/client-loop.ts';
import type { PlannedRequest } from '../../services/sim/capacity/planned-request.ts';
import { simulateDrawn } from '../support/capacity.ts';

const NEVER = Number.POSITIVE_INFINITY;

function request(arrivalMicros: number, follows?: PlannedRequest['follows']): PlannedRequest {
  const lengths = { inputTokens: 8, outputTokens: 4, contentIds: undefined };
  return { arrivalMicros, ...lengths, ...(follows && { follows }) };
}

/** Sessions of turns: when each session begins, and the pauses between its turns. */
const sessions = fc.array(
  fc.record({ begins: fc.nat(100), pauses: fc.array(fc.nat(50), { maxLength: 4 }) }),
  { minLength: 1, maxLength: 6 },
);

suite('client loop', () => {
  test('a turn is sent its pause after the answer before it, and never before others that are due', () => {
    fc.assert(
      fc.property(sessions, fc.integer({ min: 1, max: 20 }), (drawn, serviceMicros) => {
        const requests: PlannedRequest[] = [];
        for (const { begins, pauses } of [...drawn].sort((a, b) => a.begins - b.begins)) {
          requests.push(request(begins));
          for (const pauseMicros of pauses) {
            requests.push(request(0, { number: requests.length - 1, pauseMicros }));
          }
        }
        const clients = new ClientLoop(requests, NEVER);
        const sent = new Map<number, number>();
        let answers: { number: number; micros: number }[] = [];
        while (sent.size < requests.length || answers.length > 0) {
          const now = Math.min(clients.dueMicros, ...answers.map(({ micros }) => micros));
          assert.ok(now < NEVER, 'every turn comes');
          for (const { number } of answers.filter(({ micros }) => micros === now)) {
            clients.answered(number, now);
          }
          answers = answers.filter(({ micros }) => micros !== now);
          while (clients.dueMicros <= now) {
            const { number } = clients.send();
            sent.set(number, now);
            answers.push({ number, micros: now + serviceMicros });
          }
        }
        requests.forEach(({ arrivalMicros, follows }, number) => {
          const due = follows
            ? sent.get(follows.number)! + serviceMicros + follows.pauseMicros
            : arrivalMicros;
          assert.equal(sent.get(number), due);
        });
      }),
    );
  });

  test('no more are open than clients, and what waited for one comes when one is free', () => {
    const clients = new ClientLoop([request(0), request(0), request(5)], 1);
    assert.equal(clients.send().number, 0);
    assert.equal(clients.dueMicros, NEVER);
    clients.answered(0, 20);
    assert.equal(clients.dueMicros, 0);
    assert.equal(clients.send().number, 1);
    assert.equal(clients.mostOpen, 1);
  });

  test('a session ends where a turn of it is not answered', () => {
    const clients = new ClientLoop([request(0), request(0, { number: 0, pauseMicros: 1 })], 4);
    clients.send();
    clients.ended();
    assert.equal(clients.dueMicros, NEVER);
  });

  test('turns that follow one another are served one after the other', () => {
    const pauseMicros = 1e6;
    const requests = [request(0), request(0, { number: 0, pauseMicros })];
    const alone = simulateDrawn({ requests: [request(0)] });
    const both = simulateDrawn({ requests });
    assert.equal(both.completed, 2);
    assert.equal(both.mostOpenRequests, 1);
    assert.ok(Math.abs(both.seconds - (2 * alone.seconds + 1)) < 1e-6);
  });
});
