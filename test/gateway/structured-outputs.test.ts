import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { errorOf, makeGateway, post } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

const CHAT = { messages: [{ role: 'user', content: 'Once' }] };

suite('what a text must be reaches the engine', () => {
  test('with what the text must be, by each of its names', async (t) => {
    const engine = new StandInEngine();
    const gateway = makeGateway(t, engine);
    const schema = { type: 'object', properties: { a: { type: 'integer' } } };
    const text = JSON.stringify(schema);
    const json_schema = { name: 'thing', strict: true, schema };
    const cases: readonly (readonly [object, object | undefined])[] = [
      [{ response_format: { type: 'text' } }, undefined],
      [{ response_format: { type: 'json_object' } }, { jsonObject: true }],
      [{ response_format: { type: 'json_schema', json_schema } }, { json: schema }],
      [{ structured_outputs: { json: schema } }, { json: schema }],
      [{ structured_outputs: { json: text, regex: null } }, { json: text }],
      [{ structured_outputs: { json_object: true } }, { jsonObject: true }],
      [{ structured_outputs: { regex: 'a+' } }, { regex: 'a+' }],
      [{ structured_outputs: { choice: ['yes', 'no'] } }, { choice: ['yes', 'no'] }],
    ];
    for (const [fields] of cases) {
      const answer = await post(gateway, '/v1/chat/completions', { ...CHAT, ...fields });
      assert.equal(answer.status, 200, answer.body);
    }
    assert.deepEqual(
      engine.requests.map(({ structuredOutputs }) => structuredOutputs),
      cases.map(([, expected]) => expected),
    );
  });
});

suite('what a text must be is refused with 400 where it is wrong, with the name of the field', () => {
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ response_format: { type: 'xml' } }, 'response_format.type', /text, json_object or/],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema', /an object/],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
      'response_format.json_schema.schema',
      /an object/,
    ],
    [{ structured_outputs: {} }, 'structured_outputs', /one of json/],
    [{ structured_outputs: { regex: 5 } }, 'structured_outputs.regex', /a string, not 5/],
    [{ structured_outputs: { choice: 'a' } }, 'structured_outputs.choice', /an array/],
    [{ structured_outputs: { regex: 'a', choice: ['a'] } }, 'structured_outputs', /one of/],
    [{ structured_outputs: { grammar: 'x' } }, 'structured_outputs.grammar', /not supported/],
    [
      { response_format: { type: 'json_object' }, structured_outputs: { regex: 'a' } },
      'structured_outputs',
      /none beside a response_format/,
    ],
    [{ structured_outputs: { regex: 'a' }, ignore_eos: true }, 'ignore_eos', /false beside regex/],
    [{ guided_json: {} }, 'guided_json', /structured_outputs.json has taken its place/],
  ];
  for (const [fields, param, says] of cases) {
    test(JSON.stringify(fields), async (t) => {
      const engine = new StandInEngine();
      const body = { prompt: 'Once', ...fields };
      const answer = await post(makeGateway(t, engine), '/v1/completions', body);
      const error = errorOf(answer);
      assert.deepEqual([error.status, error.type], [400, 'BadRequestError']);
      assert.equal(error.param, param);
      assert.match(error.message, says);
      assert.equal(engine.requests.length, 0);
    });
  }
});
